// What is in a map, in parts that the server hands out.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "react-aria-components";
import { mapEntriesQuery } from "../../api/queries";
import type { GoMap, MapEntries } from "../../api/types";
import { count, counted } from "../../lib/format";
import { type EntrySort, type MapSearch, nextSort } from "../../lib/map-search";
import { Prose } from "../Code";
import { Copyable } from "../Copy";
import { InlineFailure } from "../Failure";
import { Choice, SearchText } from "../filters";
import { Icon } from "../Icon";
import { Scroll } from "../Scroll";
import { Skeleton } from "../Skeleton";

interface EntriesProps {
  map: GoMap;
  crash: string;
  search: MapSearch;
  /** Those that came with the map: the first, as they lie. */
  first: MapEntries | null | undefined;
  set: (change: Partial<MapSearch>) => void;
}

export function Entries({ map, crash, search, first, set }: EntriesProps) {
  const { sort, filter, cursor } = search;
  const plain = sort === undefined && filter === undefined && cursor === undefined;
  const query = useQuery({
    ...mapEntriesQuery(crash, map.address, { sort, filter, cursor }),
    ...(plain && first != null ? { initialData: first } : {}),
    placeholderData: keepPreviousData,
  });
  const page = query.data;
  return (
    <>
      <div className="filters">
        <SearchText
          label="Key or value contains"
          placeholder="Part of it"
          value={filter}
          onChange={(wanted) => set({ filter: wanted, cursor: undefined })}
        />
        <Choice
          label="Order"
          any="As they lie"
          value={sort}
          options={ORDERS}
          onChange={(wanted) => set({ sort: wanted as EntrySort | undefined, cursor: undefined })}
        />
      </div>
      {query.error && !query.isFetching ? (
        <InlineFailure error={query.error} />
      ) : !page ? (
        <Skeleton what="entries" lines={8} />
      ) : (
        <div className={query.isPlaceholderData ? "stale" : undefined} aria-busy={query.isPlaceholderData}>
          <p className="result-count" role="status">
            {query.isPlaceholderData ? "Reading entries…" : counts(page, filter)}
          </p>
          {page.problems.length > 0 && (
            <p className="notice warn">
              <Prose text={page.problems.join(" ")} />
            </p>
          )}
          {page.entries.length === 0 ? (
            <p className="nothing">
              {filter === undefined ? "No entry could be read." : "No entry is like that."}
            </p>
          ) : (
            <EntryTable page={page} search={search} />
          )}
          <Cursors page={page} search={search} set={set} />
        </div>
      )}
    </>
  );
}

const ORDERS: { value: EntrySort; label: string }[] = [
  { value: "key", label: "By key" },
  { value: "key-descending", label: "By key, last first" },
  { value: "value", label: "By value" },
  { value: "value-descending", label: "By value, last first" },
];

/** How many there are; what was not looked at is not counted. */
function counts(
  { len, found, matching, truncated, next_cursor: next }: MapEntries,
  filter: string | undefined,
): string {
  const parts = [];
  if (filter !== undefined)
    parts.push(matching == null ? "Those that match are not counted" : `${count(matching)} match`);
  parts.push(`${counted(len, "entry", "entries")} by the header`);
  if (found != null && found !== len) parts.push(`${count(found)} found`);
  if (truncated && next == null) parts.push("there are more than were looked at");
  return parts.join("; ");
}

function EntryTable({ page, search }: { page: MapEntries; search: MapSearch }) {
  return (
    <Scroll label="Entries, a table that scrolls" tall>
      <table className="data cards entries" role="table">
        <caption className="sr-only">Entries of the map</caption>
        <thead role="rowgroup">
          <tr role="row">
            <SortedBy column="key" search={search}>
              Key
            </SortedBy>
            <SortedBy column="value" search={search}>
              Value
            </SortedBy>
            <th scope="col" role="columnheader">
              Value lies at
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {page.entries.map((entry) => (
            <tr key={entry.key_address} role="row">
              <th scope="row" role="rowheader">
                <code>{entry.key}</code>
              </th>
              <td role="cell">
                <code>{entry.value}</code>
              </td>
              <td role="cell" className="entry-address">
                <Copyable value={entry.value_address} what={`the address of the value of ${entry.key}`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface SortedByProps {
  column: "key" | "value";
  search: MapSearch;
  children: React.ReactNode;
}

function SortedBy({ column, search: { sort }, children }: SortedByProps) {
  const order = sort === column ? "ascending" : sort === `${column}-descending` ? "descending" : "none";
  const marks = { ascending: " ↑", descending: " ↓", none: " ↕" };
  return (
    <th scope="col" role="columnheader" aria-sort={order} className="sorted">
      <Link
        to="."
        search={(before) => ({ ...before, sort: nextSort(column, sort), cursor: undefined })}
        replace
        resetScroll={false}
      >
        {children}
        <span aria-hidden="true" className="sort-mark">
          {marks[order]}
        </span>
      </Link>
    </th>
  );
}

/** Cursors only lead on; the way back is remembered here. */
function Cursors({ page, search, set }: { page: MapEntries; search: MapSearch; set: EntriesProps["set"] }) {
  const here = `${search.sort ?? ""}/${search.filter ?? ""}`;
  const [trail, setTrail] = useState<{ of: string; cursors: (string | undefined)[] }>({
    of: here,
    cursors: [],
  });
  const cursors = trail.of === here ? trail.cursors : [];
  const next = page.next_cursor ?? undefined;
  if (next === undefined && search.cursor === undefined) return null;
  const before = cursors.at(-1);
  return (
    <nav className="pages" aria-label="Parts of the entries">
      {search.cursor !== undefined && (
        <Button
          className="button"
          onPress={() => {
            setTrail({ of: here, cursors: cursors.slice(0, -1) });
            set({ cursor: before });
          }}
        >
          <Icon name="back" />
          {cursors.length > 0 ? "Before" : "To the first"}
        </Button>
      )}
      <Button
        className="button"
        isDisabled={next === undefined}
        onPress={() => {
          setTrail({ of: here, cursors: [...cursors, search.cursor] });
          set({ cursor: next });
        }}
      >
        Next {page.entries.length}
        <Icon name="chevron" />
      </Button>
    </nav>
  );
}
