import { Button } from "react-aria-components";

interface MoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
  what: string;
}

/** Reads the next part of a list. */
export function More({ query, what }: MoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <div className="more">
      <Button
        className="button"
        isPending={query.isFetchingNextPage}
        onPress={() => void query.fetchNextPage()}
      >
        {query.isFetchingNextPage ? "Loading…" : `More ${what}`}
      </Button>
    </div>
  );
}
