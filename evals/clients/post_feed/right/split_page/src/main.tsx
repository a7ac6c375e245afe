import { ConvexProvider, ConvexReactClient, usePaginatedQuery, type UsePaginatedQueryResult } from "convex/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { api } from "../convex/_generated/api";
import type { Doc } from "../convex/_generated/dataModel";

const size = 5;
const client = new ConvexReactClient(import.meta.env.VITE_CONVEX_URL as string);

function Footer({ feed }: { feed: UsePaginatedQueryResult<Doc<"posts">> }) {
  switch (feed.status) {
    case "Exhausted":
      return <footer>That is all</footer>;
    case "CanLoadMore":
      return (
        <footer>
          <button type="button" onClick={() => feed.loadMore(size)}>
            Load more
          </button>
        </footer>
      );
    default:
      return <footer aria-busy="true" />;
  }
}

function Feed() {
  const feed = usePaginatedQuery(api.posts.list, {}, { initialNumItems: size });
  const rows = [];
  for (const { _id, text } of feed.results) {
    rows.push(<li key={_id}>{text}</li>);
  }
  return (
    <section>
      <ol>{rows}</ol>
      <Footer feed={feed} />
    </section>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <ConvexProvider client={client}>
      <Feed />
    </ConvexProvider>
  </StrictMode>,
);
