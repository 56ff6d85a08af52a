// A table of any number of maps: rows near the view are in the document, the server sorts and filters.
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import type { GoMap } from "../../api/types";
import { bytes, count } from "../../lib/format";
import { useMedia } from "../../lib/hooks";
import type { MapListSearch, MapListSort } from "../../lib/map-search";
import { OPERATION_WORDS, bestPath } from "../../lib/map-words";
import { breakable } from "../Code";
import { Unknown } from "../Unknown";
import { MapLink, MapStateMark } from "./marks";

const ROW = { wide: 44, narrow: 136 };
const OVERSCAN = 6;

interface MapTableProps {
  crash: string;
  search: MapListSearch;
  maps: readonly GoMap[];
  /** All that match, whatever is loaded. */
  matched: number;
  loadMore: () => void;
}

const COLUMNS: {
  id: string;
  header: string;
  sort?: MapListSort;
  cell: (map: GoMap, crash: string) => ReactNode;
}[] = [
  { id: "type", header: "Type", cell: (map, crash) => <MapLink map={map} crash={crash} name={null} /> },
  {
    id: "count",
    header: "Entries",
    sort: "count",
    cell: ({ count: entries }) => (entries == null ? <Unknown /> : count(entries)),
  },
  {
    id: "size",
    header: "Size",
    sort: "size",
    cell: ({ size_bytes: size }) => (size == null ? <Unknown /> : bytes(size)),
  },
  { id: "state", header: "State", cell: (map) => <State map={map} /> },
  { id: "held", header: "Held as", cell: (map) => <Held map={map} /> },
  { id: "used", header: "Used by", cell: (map, crash) => <Used map={map} crash={crash} /> },
];

function State({ map: { state, flags, problems } }: { map: GoMap }) {
  return (
    <>
      <MapStateMark state={state} />
      {problems.length > 0 && <span className="mark map-broken">broken</span>}
      {flags.map((flag) => (
        <code key={flag} className="label">
          {flag}
        </code>
      ))}
    </>
  );
}

function Held({ map }: { map: GoMap }) {
  const path = bestPath(map);
  const places = map.roots.length + map.roots_left_out;
  if (places === 0) return <span className="muted">nowhere that was found</span>;
  return (
    <>
      {path === null ? <span className="muted">without a name</span> : <code>{breakable(path)}</code>}
      {places > 1 && <span className="muted"> and {count(places - 1)} more</span>}
    </>
  );
}

const USERS_SHOWN = 2;

function Used({ map: { users }, crash }: { map: GoMap; crash: string }) {
  if (users.length === 0) return <span className="muted">nobody</span>;
  return (
    <>
      {users.slice(0, USERS_SHOWN).map((user, index) => (
        <span key={`${user.goroutine}-${user.frame}`}>
          {index > 0 && ", "}
          <Link to="/crashes/$id/goroutines/$gid" params={{ id: crash, gid: String(user.goroutine) }}>
            goroutine {user.goroutine}
          </Link>{" "}
          <span className="muted">{OPERATION_WORDS[user.operation]}</span>
        </span>
      ))}
      {users.length > USERS_SHOWN && (
        <span className="muted"> and {count(users.length - USERS_SHOWN)} more</span>
      )}
    </>
  );
}

export function MapTable({ crash, search, maps, matched, loadMore }: MapTableProps) {
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
  const wanted = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (wanted >= maps.length) loadMore();
  }, [wanted, maps.length, loadMore]);
  return (
    <div className="virtual map-rows" role="table" aria-label="Maps" aria-rowcount={matched + 1}>
      <div role="rowgroup" className="virtual-head">
        <div role="row" aria-rowindex={1} className="virtual-row">
          {COLUMNS.map((column) => (
            <Header key={column.id} {...column} crash={crash} search={search} />
          ))}
        </div>
      </div>
      {/* Keyboards scroll it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} role="rowgroup" className="virtual-body" tabIndex={0} aria-label="Rows">
        <div role="presentation" className="virtual-space" style={{ height: virtual.getTotalSize() }}>
          {visible.map((place) => {
            const map = maps[place.index];
            return (
              <div
                key={place.index}
                role="row"
                aria-rowindex={place.index + 2}
                className="virtual-row"
                style={{ height: place.size, transform: `translateY(${place.start}px)` }}
              >
                {COLUMNS.map((column) => (
                  <div key={column.id} role="cell" className={`cell cell-${column.id}`}>
                    {map ? column.cell(map, crash) : <span className="bone" aria-hidden="true" />}
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
  header: string;
  sort?: MapListSort;
  crash: string;
  search: MapListSearch;
}

/** A column that the server can sort by is a link; a second press takes the sorting away. */
function Header({ id, header, sort, crash, search }: HeaderProps) {
  const sorted = sort !== undefined && search.sort === sort;
  return (
    <div
      role="columnheader"
      className={`cell cell-${id}`}
      aria-sort={sort === undefined ? undefined : sorted ? "descending" : "none"}
    >
      {sort === undefined ? (
        header
      ) : (
        <Link
          to="/crashes/$id/maps"
          params={{ id: crash }}
          search={{ ...search, sort: sorted ? undefined : sort }}
          replace
        >
          {header}
          <span aria-hidden="true" className="sort-mark">
            {sorted ? " ↓" : " ↕"}
          </span>
        </Link>
      )}
    </div>
  );
}
