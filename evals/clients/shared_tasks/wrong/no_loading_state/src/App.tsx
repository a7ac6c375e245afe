import { useMutation, useQuery } from "convex/react";
import { useState } from "react";
import { api } from "../convex/_generated/api";

export function App() {
  const tasks = useQuery(api.tasks.list, {});
  const add = useMutation(api.tasks.add);
  const toggle = useMutation(api.tasks.toggle);
  const [title, setTitle] = useState("");

  return (
    <main>
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          setTitle("");
          await add({ title });
        }}
      >
        <input placeholder="New task" value={title} onChange={(event) => setTitle(event.target.value)} />
        <button type="submit">Add</button>
      </form>
      {tasks.length === 0 ? (
        <p>No tasks yet</p>
      ) : (
        <ul>
          {tasks.map((task) => (
            <li key={task._id}>
              <label>
                <input type="checkbox" checked={task.done} onChange={() => void toggle({ taskId: task._id })} />
                {task.title}
              </label>
            </li>
          ))}
        </ul>
      )}
    </main>
  );
}
