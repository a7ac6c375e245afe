import { ConvexHttpClient } from "convex/browser";
import { useEffect, useState } from "react";
import { api } from "../convex/_generated/api";
import type { Doc } from "../convex/_generated/dataModel";

const client = new ConvexHttpClient(import.meta.env.VITE_CONVEX_URL);

export function App() {
  const [tasks, setTasks] = useState<Doc<"tasks">[]>();
  const [title, setTitle] = useState("");

  useEffect(() => {
    void client.query(api.tasks.list, {}).then(setTasks);
  }, []);

  return (
    <main>
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          setTitle("");
          await client.mutation(api.tasks.add, { title });
        }}
      >
        <input placeholder="New task" value={title} onChange={(event) => setTitle(event.target.value)} />
        <button type="submit">Add</button>
      </form>
      {tasks === undefined ? (
        <p>Loading…</p>
      ) : tasks.length === 0 ? (
        <p>No tasks yet</p>
      ) : (
        <ul>
          {tasks.map((task) => (
            <li key={task._id}>
              <label>
                <input type="checkbox" checked={task.done} onChange={() => void client.mutation(api.tasks.toggle, { taskId: task._id })} />
                {task.title}
              </label>
            </li>
          ))}
        </ul>
      )}
    </main>
  );
}
