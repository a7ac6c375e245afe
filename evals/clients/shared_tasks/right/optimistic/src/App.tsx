import { useConvex, useMutation, useQuery } from "convex/react";
import { useState } from "react";
import { api } from "../convex/_generated/api";

export function App() {
  const convex = useConvex();
  const tasks = useQuery(api.tasks.list);
  const toggle = useMutation(api.tasks.toggle).withOptimisticUpdate((store, { taskId }) => {
    const known = store.getQuery(api.tasks.list, {});
    if (known !== undefined) {
      const changed = known.map((task) => (task._id === taskId ? { ...task, done: !task.done } : task));
      store.setQuery(api.tasks.list, {}, changed);
    }
  });
  const [text, setText] = useState("");

  const submit = () => {
    convex
      .mutation(api.tasks.add, { title: text })
      .then(() => setText(""))
      .catch((error: unknown) => console.error(error));
  };

  return (
    <>
      {tasks?.length === 0 && <p>No tasks yet</p>}
      <ul>
        {(tasks ?? []).map(({ _id, title, done }) => (
          <li key={_id}>
            {title} <input type="checkbox" checked={done} onChange={() => void toggle({ taskId: _id })} />
          </li>
        ))}
      </ul>
      <input type="text" placeholder="New task" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <button type="button" onClick={submit}>
        Add
      </button>
    </>
  );
}
