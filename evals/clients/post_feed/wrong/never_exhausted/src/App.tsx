import { usePaginatedQuery } from "convex/react";
import { api } from "../convex/_generated/api";

const STEP = 5;

export function App() {
  const { results, loadMore } = usePaginatedQuery(api.posts.list, {}, { initialNumItems: STEP });

  return (
    <main>
      <ul>
        {results.map((post) => (
          <li key={post._id}>{post.text}</li>
        ))}
      </ul>
      {results.length > 0 ? <button onClick={() => loadMore(STEP)}>Load more</button> : <p>That is all</p>}
    </main>
  );
}
