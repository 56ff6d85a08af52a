import { PendingButton } from "./PendingButton";

interface MoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
  what: string;
}

/** Reads the next part of a list. */
export function More({ query, what }: MoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <div className="more">
      <PendingButton
        className="button"
        pending={query.isFetchingNextPage}
        onPress={() => void query.fetchNextPage()}
      >
        {query.isFetchingNextPage ? "Loading…" : `More ${what}`}
      </PendingButton>
    </div>
  );
}
