// A table of any number of rows, of which those near the view are in the document. The server sorts and
// filters; who shows it loads what is in view.
import { Link } from "@tanstack/react-router";
import { type Virtualizer, useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useRef } from "react";
import { useMedia } from "../lib/hooks";

const OVERSCAN = 6;

/** Heights of a row in pixels: beside each other, and as a card on a narrow screen. */
export interface RowHeights {
  wide: number;
  narrow: number;
}

export interface VirtualColumn<Row> {
  id: string;
  header: string;
  /** When the server can sort by it. A second press takes the sorting away. */
  sort?: {
    order: "ascending" | "descending";
    sorted: boolean;
    /** The search of the page after the press. */
    search: object;
  };
  cell: (row: Row) => ReactNode;
}

interface VirtualRows {
  scroller: RefObject<HTMLDivElement | null>;
  virtual: Virtualizer<HTMLDivElement, Element>;
  /** The first and last row in the document. */
  first: number;
  last: number;
}

/** Which rows are in view. */
export function useVirtualRows(count: number, heights: RowHeights): VirtualRows {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMedia("(max-width: 900px)");
  // eslint-disable-next-line react-hooks/incompatible-library -- the rows are not memoised
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? heights.narrow : heights.wide),
    overscan: OVERSCAN,
  });
  const visible = virtual.getVirtualItems();
  return { scroller, virtual, first: visible[0]?.index ?? 0, last: visible.at(-1)?.index ?? 0 };
}

interface VirtualTableProps<Row> extends Omit<VirtualRows, "first" | "last"> {
  label: string;
  className?: string;
  count: number;
  columns: readonly VirtualColumn<Row>[];
  /** The row, or undefined while it is on its way. */
  row: (index: number) => Row | undefined;
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, className = "", count, columns, row, scroller, virtual } = props;
  return (
    <div className={`virtual ${className}`} role="table" aria-label={label} aria-rowcount={count + 1}>
      <div role="rowgroup" className="virtual-head">
        <div role="row" aria-rowindex={1} className="virtual-row">
          {columns.map((column) => (
            <Header key={column.id} column={column} />
          ))}
        </div>
      </div>
      {/* Keyboards scroll it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} role="rowgroup" className="virtual-body" tabIndex={0} aria-label="Rows">
        <div role="presentation" className="virtual-space" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((place) => {
            const found = row(place.index);
            return (
              <div
                key={place.index}
                role="row"
                aria-rowindex={place.index + 2}
                className="virtual-row"
                style={{ height: place.size, transform: `translateY(${place.start}px)` }}
              >
                {columns.map((column) => (
                  <div key={column.id} role="cell" className={`cell cell-${column.id}`}>
                    {found === undefined ? <span className="bone" aria-hidden="true" /> : column.cell(found)}
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

function Header<Row>({ column: { id, header, sort } }: { column: VirtualColumn<Row> }) {
  if (sort === undefined) {
    return (
      <div role="columnheader" className={`cell cell-${id}`}>
        {header}
      </div>
    );
  }
  const arrow = sort.order === "descending" ? " ↓" : " ↑";
  return (
    <div role="columnheader" className={`cell cell-${id}`} aria-sort={sort.sorted ? sort.order : "none"}>
      <Link to="." search={sort.search as never} replace>
        {header}
        <span aria-hidden="true" className="sort-mark">
          {sort.sorted ? arrow : " ↕"}
        </span>
      </Link>
    </div>
  );
}
