// How the entries of a map lie: its buckets or groups, a page at a time.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useId, useState } from "react";
import { Button } from "react-aria-components";
import { mapLayoutQuery } from "../../api/queries";
import type { GoMap, KeyPlace, MapLayout } from "../../api/types";
import { count, counted } from "../../lib/format";
import type { MapSearch } from "../../lib/map-search";
import { BLOCK, ROWS, blockOf, pageOf, rowOfKey } from "../../lib/slots";
import { InlineFailure } from "../Failure";
import { Pages } from "../Pages";
import { Skeleton } from "../Skeleton";
import { Drawing, Legend } from "./Drawing";
import { LayoutTable } from "./LayoutTable";
import { Occupancy } from "./Occupancy";

export interface LayoutProps {
  map: GoMap;
  crash: string;
  search: MapSearch;
  /** The rows that came with the map. */
  first: MapLayout | null | undefined;
  set: (change: Partial<MapSearch>) => void;
}

/** What a row is called. */
export const rowWords = (map: GoMap) => (map.implementation === "hmap" ? "bucket" : "group");

export function Layout({ map, crash, search, first, set }: LayoutProps) {
  const place = useKeyPlace(map, crash, search.key);
  const from = pageOf(search.from ?? rowOfKey(place) ?? 0);
  const block = blockOf(from);
  const query = useQuery({
    ...mapLayoutQuery(crash, map.address, { from: block, limit: BLOCK }),
    ...(block === 0 && first != null && first.rows.length >= Math.min(BLOCK, first.total)
      ? { initialData: first }
      : {}),
    placeholderData: keepPreviousData,
  });
  const layout = query.data;
  if (query.error && !query.isFetching) return <InlineFailure error={query.error} />;
  if (!layout) return <Skeleton what="the layout" lines={8} />;
  if (layout.total === 0) return <p className="muted">Nothing is allocated for entries, so none can lie.</p>;
  const rows = layout.rows.filter(({ index }) => index >= from && index < from + ROWS);
  const what = rowWords(map);
  const asTable = search.rows === "table";
  return (
    <>
      <Occupancy map={map} crash={crash} total={layout.total} first={first} />
      <div className="views" role="group" aria-label={`Views of the ${what}s`}>
        <Button aria-pressed={!asTable} onPress={() => set({ rows: undefined })}>
          Drawing
        </Button>
        <Button aria-pressed={asTable} onPress={() => set({ rows: "table" })}>
          Table
        </Button>
      </div>
      <div className={query.isPlaceholderData ? "stale" : undefined} aria-busy={query.isPlaceholderData}>
        {rows.length === 0 && !query.isPlaceholderData ? (
          <p className="nothing">
            There is no {what} {count(from)}: there are {count(layout.total)}.
          </p>
        ) : asTable ? (
          <LayoutTable rows={rows} what={what} place={place} />
        ) : (
          <>
            <Legend place={place} />
            <Drawing key={from} rows={rows} total={layout.total} what={what} map={map} place={place} />
          </>
        )}
        <Pages
          first={from}
          total={layout.total}
          size={ROWS}
          what={`${what}s`}
          base={0}
          go={(to) => set({ from: to })}
        >
          <GoTo total={layout.total} what={what} go={(row) => set({ from: pageOf(row) })} />
        </Pages>
      </div>
    </>
  );
}

/** The place of the key that is looked up; null until it is known. */
function useKeyPlace(map: GoMap, crash: string, key: string | undefined): KeyPlace | null {
  const query = useQuery({
    ...mapLayoutQuery(crash, map.address, { from: 0, limit: 1, key: key ?? "" }),
    enabled: key !== undefined,
  });
  return key === undefined ? null : (query.data?.key ?? null);
}

function GoTo({ total, what, go }: { total: number; what: string; go: (row: number) => void }) {
  const id = useId();
  const [draft, setDraft] = useState("");
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (/^\d+$/.test(draft.trim())) go(Math.min(Number(draft.trim()), total - 1));
  };
  return (
    <form className="go-to" onSubmit={submit}>
      <label htmlFor={id}>Go to {what}</label>
      <input
        id={id}
        inputMode="numeric"
        value={draft}
        placeholder={`0 to ${count(total - 1)}`}
        title={`Of ${counted(total, what)}`}
        onChange={(event) => setDraft(event.target.value)}
      />
      <Button type="submit" className="button">
        Go
      </Button>
    </form>
  );
}
