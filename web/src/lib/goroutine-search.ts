// The URL of the goroutines of a crash: its view, its filters and its order.
import { oneOf, text } from "./search-params";

export const GOROUTINE_VIEWS = ["clusters", "table"] as const;
export const GOROUTINE_SORTS = ["id", "status", "wait"] as const;
export type GoroutineView = (typeof GOROUTINE_VIEWS)[number];
export type GoroutineSort = (typeof GOROUTINE_SORTS)[number];

export interface GoroutineFilter {
  status?: string | undefined;
  wait_reason?: string | undefined;
  function?: string | undefined;
  label?: string | undefined;
  cluster?: string | undefined;
  sort?: GoroutineSort | undefined;
}

export interface GoroutineSearch extends GoroutineFilter {
  view?: GoroutineView | undefined;
}

export function parseGoroutineSearch(search: Record<string, unknown>): GoroutineSearch {
  return {
    view: oneOf(search.view, GOROUTINE_VIEWS),
    status: text(search.status),
    wait_reason: text(search.wait_reason),
    function: text(search.function),
    label: text(search.label),
    cluster: text(search.cluster),
    sort: oneOf(search.sort, GOROUTINE_SORTS),
  };
}

/** What the API is asked for: everything but the view. */
export function goroutineFilter({ view: _, ...filter }: GoroutineSearch): GoroutineFilter {
  return filter;
}

export function narrowed({ status, wait_reason, function: name, label, cluster }: GoroutineFilter): boolean {
  return [status, wait_reason, name, label, cluster].some((value) => value !== undefined);
}
