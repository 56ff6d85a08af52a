// A table of any number of goroutines: rows near the view are in the document, the server sorts,
// filters and hands out parts of a hundred.
import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { createColumnHelper, flexRender, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { GOROUTINES_AT_ONCE, clustersQuery, goroutinesQuery } from "../api/queries";
import type { GoroutineRow } from "../api/types";
import { duration } from "../lib/format";
import { type GoroutineSearch, type GoroutineSort, goroutineFilter } from "../lib/goroutine-search";
import { clusterPlaces } from "../lib/frames";
import { useMedia } from "../lib/hooks";
import { partsOf } from "../lib/parts";
import { FunctionName } from "./Code";
import { Unknown } from "./Unknown";

const ROW = { wide: 40, narrow: 112 };
const OVERSCAN = 6;

interface Slot {
  index: number;
  row: GoroutineRow | undefined;
}

interface TableMeta {
  crash: string;
  /** The telling function of each cluster: the innermost frame is nearly always the scheduler's. */
  places: ReadonlyMap<string, string>;
}

const column = createColumnHelper<Slot>();
const columns = [
  column.accessor((slot) => slot.row?.id, {
    id: "id",
    header: "Goroutine",
    cell: ({ row: { original }, table }) =>
      original.row && (
        <Link
          to="/crashes/$id/goroutines/$gid"
          params={{ id: (table.options.meta as TableMeta).crash, gid: String(original.row.id) }}
        >
          {original.row.id}
        </Link>
      ),
  }),
  column.accessor((slot) => slot.row?.status, {
    id: "status",
    header: "State",
    cell: ({ row: { original } }) =>
      original.row && (
        <>
          {original.row.status}
          {original.row.wait_reason != null && <span className="muted">: {original.row.wait_reason}</span>}
        </>
      ),
  }),
  column.accessor((slot) => slot.row?.wait_seconds, {
    id: "wait",
    header: "Waits for",
    cell: ({ row: { original } }) => original.row && <Wait row={original.row} />,
  }),
  column.accessor((slot) => slot.row?.top_function, {
    id: "function",
    header: "Where",
    cell: ({ row: { original }, table }) =>
      original.row && <Where row={original.row} places={(table.options.meta as TableMeta).places} />,
  }),
  column.accessor((slot) => slot.row?.created_by, {
    id: "creator",
    header: "Created by",
    cell: ({ row: { original } }) =>
      original.row &&
      (original.row.created_by == null ? (
        <span className="muted">not recorded</span>
      ) : (
        <FunctionName name={original.row.created_by} short />
      )),
  }),
  column.accessor((slot) => slot.row?.labels, {
    id: "labels",
    header: "Labels",
    cell: ({ row: { original } }) => original.row && <Labels labels={original.row.labels} />,
  }),
];

const SORTS: Partial<Record<string, GoroutineSort>> = { id: "id", status: "status", wait: "wait" };

function Wait({ row }: { row: GoroutineRow }) {
  if (row.wait_seconds != null) return <>{duration(row.wait_seconds)}</>;
  if (row.wait_reason == null) return <span className="muted">it does not wait</span>;
  return (
    <span title="The collector stamps it, and has not run since this wait began">
      <Unknown />
    </span>
  );
}

function Where({ row, places }: { row: GoroutineRow; places: TableMeta["places"] }) {
  const place = row.cluster == null ? undefined : places.get(row.cluster);
  if (place !== undefined) return <FunctionName name={place} short />;
  if (row.top_function == null) return <Unknown why="no frame could be read" />;
  return (
    <>
      <FunctionName name={row.top_function} short />{" "}
      <span className="position" title={row.top_file ?? undefined}>
        {row.top_file?.split("/").at(-1) ?? "?"}
        {row.top_line != null && `:${row.top_line}`}
      </span>
    </>
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
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMedia("(max-width: 900px)");
  // eslint-disable-next-line react-hooks/incompatible-library -- the rows below are not memoised
  const virtual = useVirtualizer({
    count: matched,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? ROW.narrow : ROW.wide),
    overscan: OVERSCAN,
  });
  const visible = virtual.getVirtualItems();
  const offsets = partsOf(visible[0]?.index ?? 0, visible.at(-1)?.index ?? 0, GOROUTINES_AT_ONCE);
  const filter = goroutineFilter(search);
  const parts = useQueries({ queries: offsets.map((offset) => goroutinesQuery(crash, filter, offset)) });
  const loaded = new Map(offsets.map((offset, index) => [offset, parts[index]?.data?.items]));
  const slots = visible.map(({ index }) => {
    const offset = index - (index % GOROUTINES_AT_ONCE);
    return { index, row: loaded.get(offset)?.[index - offset] };
  });
  const clusters = useInfiniteQuery(clustersQuery(crash)).data;
  const meta = useMemo<TableMeta>(
    () => ({ crash, places: clusterPlaces(clusters?.pages.flatMap((page) => page.items) ?? []) }),
    [crash, clusters],
  );
  const table = useReactTable({
    data: slots,
    columns,
    meta,
    getRowId: (slot) => String(slot.index),
    getCoreRowModel: getCoreRowModel(),
    manualSorting: true,
    manualFiltering: true,
    manualPagination: true,
  });
  return (
    <div className="virtual" role="table" aria-label="Goroutines" aria-rowcount={matched + 1}>
      <div role="rowgroup" className="virtual-head">
        <div role="row" aria-rowindex={1} className="virtual-row">
          {table.getFlatHeaders().map((header) => (
            <Header key={header.id} id={header.column.id} crash={crash} search={search}>
              {flexRender(header.column.columnDef.header, header.getContext())}
            </Header>
          ))}
        </div>
      </div>
      {/* Keyboards scroll it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} role="rowgroup" className="virtual-body" tabIndex={0} aria-label="Rows">
        <div role="presentation" className="virtual-space" style={{ height: virtual.getTotalSize() }}>
          {table.getRowModel().rows.map((row, at) => {
            const place = visible[at];
            if (!place) return null;
            return (
              <div
                key={row.id}
                role="row"
                aria-rowindex={place.index + 2}
                className="virtual-row"
                style={{ height: place.size, transform: `translateY(${place.start}px)` }}
              >
                {row.getVisibleCells().map((cell) => (
                  <div key={cell.id} role="cell" className={`cell cell-${cell.column.id}`}>
                    {row.original.row ? (
                      flexRender(cell.column.columnDef.cell, cell.getContext())
                    ) : (
                      <span className="bone" aria-hidden="true" />
                    )}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface HeaderProps {
  id: string;
  crash: string;
  search: GoroutineSearch;
  children: React.ReactNode;
}

/** A column that the server can sort by is a link; a second press takes the sorting away. */
function Header({ id, crash, search, children }: HeaderProps) {
  const sort = SORTS[id];
  const sorted = sort !== undefined && search.sort === sort;
  return (
    <div
      role="columnheader"
      className={`cell cell-${id}`}
      aria-sort={
        sort === undefined ? undefined : sorted ? (sort === "wait" ? "descending" : "ascending") : "none"
      }
    >
      {sort === undefined ? (
        children
      ) : (
        <Link
          to="/crashes/$id/goroutines"
          params={{ id: crash }}
          search={{ ...search, view: "table", sort: sorted ? undefined : sort }}
          replace
        >
          {children}
          <span aria-hidden="true" className="sort-mark">
            {sorted ? (sort === "wait" ? " ↓" : " ↑") : " ↕"}
          </span>
        </Link>
      )}
    </div>
  );
}
