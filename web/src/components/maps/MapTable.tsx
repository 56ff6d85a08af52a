// A table of any number of maps.
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { GoMap } from "../../api/types";
import { bytes, count } from "../../lib/format";
import type { MapListSearch, MapListSort } from "../../lib/map-search";
import { OPERATION_WORDS, bestPath } from "../../lib/map-words";
import { breakable } from "../Code";
import { Unknown } from "../Unknown";
import { type VirtualColumn, VirtualTable, useVirtualRows } from "../VirtualTable";
import { MapLink, MapStateMark } from "./marks";

const HEIGHTS = { wide: 44, narrow: 136 };

interface MapTableProps {
  crash: string;
  search: MapListSearch;
  maps: readonly GoMap[];
  /** All that match, whatever is loaded. */
  matched: number;
  loadMore: () => void;
}

function columns(crash: string, search: MapListSearch): VirtualColumn<GoMap>[] {
  const sort = (by: MapListSort) => {
    const sorted = search.sort === by;
    return {
      order: "descending" as const,
      sorted,
      search: { ...search, sort: sorted ? undefined : by },
    };
  };
  return [
    { id: "type", header: "Type", cell: (map) => <MapLink map={map} crash={crash} name={null} /> },
    {
      id: "count",
      header: "Entries",
      sort: sort("count"),
      cell: ({ count: entries }) => (entries == null ? <Unknown /> : count(entries)),
    },
    {
      id: "size",
      header: "Size",
      sort: sort("size"),
      cell: ({ size_bytes: size }) => (size == null ? <Unknown /> : bytes(size)),
    },
    { id: "state", header: "State", cell: (map) => <State map={map} /> },
    { id: "held", header: "Held as", cell: (map) => <Held map={map} /> },
    { id: "used", header: "Used by", cell: (map) => <Used map={map} crash={crash} /> },
  ];
}

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
  const { scroller, virtual, last } = useVirtualRows(matched, HEIGHTS);
  useEffect(() => {
    if (last >= maps.length) loadMore();
  }, [last, maps.length, loadMore]);
  return (
    <VirtualTable
      label="Maps"
      className="map-rows"
      count={matched}
      columns={columns(crash, search)}
      row={(index) => maps[index]}
      scroller={scroller}
      virtual={virtual}
    />
  );
}
