import { ConvexProvider, ConvexReactClient, useMutation, useQuery } from "convex/react";
import { type FormEvent, StrictMode, useMemo, useRef } from "react";
import { createRoot } from "react-dom/client";
import { api } from "../convex/_generated/api";
import type { Doc } from "../convex/_generated/dataModel";

function Task({ task }: { task: Doc<"tasks"> }) {
  const toggle = useMutation(api.tasks.toggle);
  return (
    <li>
      <input type="checkbox" checked={task.done} onChange={() => toggle({ taskId: task._id })} aria-label={task.title} />
      <span>{task.title}</span>
    </li>
  );
}

function NewTask() {
  const add = useMutation(api.tasks.add);
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const title = field.current!.value;
    field.current!.value = "";
    await add({ title });
  };
  return (
    <form onSubmit={submit}>
      <input ref={field} placeholder="New task" />
      <button>Add</button>
    </form>
  );
}

function Tasks() {
  const tasks = useQuery(api.tasks.list);
  if (!tasks) {
    return null;
  }
  return tasks.length > 0 ? (
    <ol>
      {tasks.map((task) => (
        <Task key={task._id} task={task} />
      ))}
    </ol>
  ) : (
    <em>No tasks yet</em>
  );
}

function Root() {
  const client = useMemo(() => new ConvexReactClient(import.meta.env.VITE_CONVEX_URL), []);
  return (
    <ConvexProvider client={client}>
      <NewTask />
      <Tasks />
    </ConvexProvider>
  );
}

createRoot(document.querySelector("#root")!).render(
  <StrictMode>
    <Root />
  </StrictMode>,
);
