import { useConvex } from "convex/react";
import { useEffect, useState } from "react";
import { api } from "../convex/_generated/api";
import type { Doc } from "../convex/_generated/dataModel";

const STEP = 5;

export function App() {
  const convex = useConvex();
  const [posts, setPosts] = useState<Doc<"posts">[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [done, setDone] = useState<boolean>();

  const load = async (from: string | null) => {
    const result = await convex.query(api.posts.list, { paginationOpts: { numItems: STEP, cursor: from } });
    setPosts((known) => (from === null ? result.page : [...known, ...result.page]));
    setCursor(result.continueCursor);
    setDone(result.isDone);
  };

  useEffect(() => {
    void load(null);
  }, []);

  return (
    <main>
      <ul>
        {posts.map((post) => (
          <li key={post._id}>{post.text}</li>
        ))}
      </ul>
      {done === false && <button onClick={() => void load(cursor)}>Load more</button>}
      {done === true && <p>That is all</p>}
    </main>
  );
}
