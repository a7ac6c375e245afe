import { useQuery } from "convex/react";
import { useRef, useState } from "react";
import { api } from "../convex/_generated/api";

const STEP = 5;

export function App() {
  const [count, setCount] = useState(STEP);
  const current = useQuery(api.posts.list, { paginationOpts: { numItems: count, cursor: null } });
  const previous = useRef(current);
  const shown = current ?? previous.current;
  previous.current = shown;

  return (
    <main>
      <ul>
        {shown?.page.map((post) => (
          <li key={post._id}>{post.text}</li>
        ))}
      </ul>
      {current?.isDone === false && <button onClick={() => setCount(count + STEP)}>Load more</button>}
      {current?.isDone === true && <p>That is all</p>}
    </main>
  );
}
