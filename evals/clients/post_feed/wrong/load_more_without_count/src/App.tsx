import { usePaginatedQuery } from "convex/react";
import { api } from "../convex/_generated/api";

const STEP = 5;

export function App() {
  const { results, status, loadMore } = usePaginatedQuery(api.posts.list, {}, { initialNumItems: STEP });

  return (
    <main>
      <ul>
        {results.map((post) => (
          <li key={post._id}>{post.text}</li>
        ))}
      </ul>
      {status === "CanLoadMore" && <button onClick={() => loadMore()}>Load more</button>}
      {(status === "LoadingFirstPage" || status === "LoadingMore") && <p>Loading…</p>}
      {status === "Exhausted" && <p>That is all</p>}
    </main>
  );
}
