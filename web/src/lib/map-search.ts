// The URLs of the maps of a crash and of one of them.
import type { MapState } from "../api/types";
import { natural, oneOf, text } from "./search-params";

export const MAP_STATES = [
  "nil",
  "empty",
  "normal",
  "growing",
  "writing",
  "unknown",
] as const satisfies readonly MapState[];
export const MAP_SORTS = ["count", "size"] as const;
export type MapListSort = (typeof MAP_SORTS)[number];

export interface MapListSearch {
  type?: string | undefined;
  state?: MapState | undefined;
  flag?: string | undefined;
  goroutine?: number | undefined;
  sort?: MapListSort | undefined;
}

export function parseMapListSearch(search: Record<string, unknown>): MapListSearch {
  return {
    type: text(search.type),
    state: oneOf(search.state, MAP_STATES),
    flag: text(search.flag),
    goroutine: natural(search.goroutine),
    sort: oneOf(search.sort, MAP_SORTS),
  };
}

export function mapsNarrowed({ type, state, flag, goroutine }: MapListSearch): boolean {
  return [type, state, flag, goroutine].some((value) => value !== undefined);
}

export const ENTRY_SORTS = ["key", "key-descending", "value", "value-descending"] as const;
export type EntrySort = (typeof ENTRY_SORTS)[number];

export interface EntryFilter {
  sort?: EntrySort | undefined;
  filter?: string | undefined;
  cursor?: string | undefined;
}

export interface MapSearch extends EntryFilter {
  /** The key that is looked up, a Go literal. */
  key?: string | undefined;
  /** The first bucket or group that is drawn. */
  from?: number | undefined;
  /** How the buckets or groups are shown; a drawing without it. */
  rows?: "table" | undefined;
}

export function parseMapSearch(search: Record<string, unknown>): MapSearch {
  return {
    sort: oneOf(search.sort, ENTRY_SORTS),
    filter: text(search.filter),
    cursor: text(search.cursor),
    key: text(search.key),
    from: natural(search.from),
    rows: oneOf(search.rows, ["table"]),
  };
}

/** The order after a press on a column: up, down, as it lies. */
export function nextSort(column: "key" | "value", sort: EntrySort | undefined): EntrySort | undefined {
  if (sort === column) return `${column}-descending`;
  return sort === `${column}-descending` ? undefined : column;
}

export interface GoroutinePageSearch {
  /** In which frame the expression is evaluated. */
  frame?: number | undefined;
  expr?: string | undefined;
}

export function parseGoroutinePageSearch(search: Record<string, unknown>): GoroutinePageSearch {
  return { frame: natural(search.frame), expr: text(search.expr) };
}
