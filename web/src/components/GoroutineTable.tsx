// A table of any number of goroutines, of which the server hands out parts of a hundred.
import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { GOROUTINES_AT_ONCE, clustersQuery, goroutinesQuery } from "../api/queries";
import type { GoroutineRow } from "../api/types";
import { duration } from "../lib/format";
import { type GoroutineSearch, type GoroutineSort, goroutineFilter } from "../lib/goroutine-search";
import { clusterPlaces } from "../lib/frames";
import { partsOf } from "../lib/parts";
import { FunctionName } from "./Code";
import { Unknown } from "./Unknown";
import { type VirtualColumn, VirtualTable, useVirtualRows } from "./VirtualTable";

const HEIGHTS = { wide: 40, narrow: 112 };

/** The telling function of each cluster: the innermost frame is nearly always the scheduler's. */
type Places = ReadonlyMap<string, string>;

function columns(crash: string, search: GoroutineSearch, places: Places): VirtualColumn<GoroutineRow>[] {
  const sort = (by: GoroutineSort) => {
    const sorted = search.sort === by;
    return {
      // Who waits longest comes first.
      order: by === "wait" ? ("descending" as const) : ("ascending" as const),
      sorted,
      search: { ...search, view: "table", sort: sorted ? undefined : by },
    };
  };
  return [
    {
      id: "id",
      header: "Goroutine",
      sort: sort("id"),
      cell: (row) => (
        <Link to="/crashes/$id/goroutines/$gid" params={{ id: crash, gid: String(row.id) }}>
          {row.id}
        </Link>
      ),
    },
    {
      id: "status",
      header: "State",
      sort: sort("status"),
      cell: (row) => (
        <>
          {row.status}
          {row.wait_reason != null && <span className="muted">: {row.wait_reason}</span>}
        </>
      ),
    },
    { id: "wait", header: "Waits for", sort: sort("wait"), cell: (row) => <Wait row={row} /> },
    { id: "function", header: "Where", cell: (row) => <Where row={row} places={places} /> },
    {
      id: "creator",
      header: "Created by",
      cell: (row) =>
        row.created_by == null ? (
          <span className="muted">not recorded</span>
        ) : (
          <FunctionName name={row.created_by} short />
        ),
    },
    { id: "labels", header: "Labels", cell: (row) => <Labels labels={row.labels} /> },
  ];
}

function Wait({ row }: { row: GoroutineRow }) {
  if (row.wait_seconds != null) return <>{duration(row.wait_seconds)}</>;
  if (row.wait_reason == null) return <span className="muted">it does not wait</span>;
  return (
    <span title="The collector stamps it, and has not run since this wait began">
      <Unknown />
    </span>
  );
}

function Where({ row, places }: { row: GoroutineRow; places: Places }) {
  const place = row.cluster == null ? undefined : places.get(row.cluster);
  if (place !== undefined) return <FunctionName name={place} short />;
  if (row.top_function == null) return <Unknown why="no frame could be read" />;
  const position = `${row.top_file?.split("/").at(-1) ?? "?"}${row.top_line == null ? "" : `:${row.top_line}`}`;
  return (
    // What does not fit is cut off the function, never the line.
    <span className="kept-end">
      <span>
        <FunctionName name={row.top_function} short />
      </span>
      <span className="position" title={row.top_file ?? undefined}>
        {position}
      </span>
    </span>
  );
}

function Labels({ labels }: { labels: GoroutineRow["labels"] }) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return <span className="muted">none</span>;
  const all = entries.map(([name, value]) => `${name}=${value}`);
  return (
    <span title={all.join(", ")}>
      {all.map((label) => (
        <code key={label} className="label">
          {label}
        </code>
      ))}
    </span>
  );
}

interface GoroutineTableProps {
  crash: string;
  search: GoroutineSearch;
  matched: number;
}

export function GoroutineTable({ crash, search, matched }: GoroutineTableProps) {
  const { scroller, virtual, first, last } = useVirtualRows(matched, HEIGHTS);
  const offsets = partsOf(first, last, GOROUTINES_AT_ONCE);
  const filter = goroutineFilter(search);
  const parts = useQueries({ queries: offsets.map((offset) => goroutinesQuery(crash, filter, offset)) });
  const loaded = new Map(offsets.map((offset, index) => [offset, parts[index]?.data?.items]));
  const clusters = useInfiniteQuery(clustersQuery(crash)).data;
  const places = useMemo(
    () => clusterPlaces(clusters?.pages.flatMap((page) => page.items) ?? []),
    [clusters],
  );
  return (
    <VirtualTable
      label="Goroutines"
      count={matched}
      columns={columns(crash, search, places)}
      row={(index) => {
        const offset = index - (index % GOROUTINES_AT_ONCE);
        return loaded.get(offset)?.[index - offset];
      }}
      scroller={scroller}
      virtual={virtual}
    />
  );
}
