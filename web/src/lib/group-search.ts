// The URL of the list of groups: its filters and its order.
import type { GroupState } from "../api/types";
import { CLASSES } from "./classes";
import { oneOf, text } from "./search-params";

export const GROUP_STATES = [
  "new",
  "ongoing",
  "regressed",
  "resolved",
  "muted",
] as const satisfies GroupState[];
export const GROUP_SORTS = ["last_seen", "first_seen", "count"] as const;

export interface GroupFilter {
  state?: GroupState | undefined;
  class?: string | undefined;
  service?: string | undefined;
  q?: string | undefined;
  sort?: (typeof GROUP_SORTS)[number] | undefined;
}

export function parseGroupSearch(search: Record<string, unknown>): GroupFilter {
  return {
    state: oneOf(search.state, GROUP_STATES),
    class: oneOf(search.class, Object.keys(CLASSES)),
    service: text(search.service),
    q: text(search.q),
    sort: oneOf(search.sort, GROUP_SORTS),
  };
}

/** Something narrows the list; the order does not. */
export function isFiltered(filter: GroupFilter): boolean {
  return Boolean(filter.state ?? filter.class ?? filter.service ?? filter.q);
}

/** How far back a group's trend goes. */
export const TREND_SPANS = {
  day: { label: "24 hours", words: "24 hours", query: { step: "hour", steps: 24 } },
  week: { label: "7 days", words: "7 days", query: { step: "hour", steps: 168 } },
  month: { label: "30 days", words: "30 days", query: { step: "day", steps: 30 } },
} as const;
export type TrendSpan = keyof typeof TREND_SPANS;

export interface GroupPageSearch {
  trend?: TrendSpan | undefined;
}

export function parseGroupPageSearch(search: Record<string, unknown>): GroupPageSearch {
  return { trend: oneOf(search.trend, Object.keys(TREND_SPANS) as TrendSpan[]) };
}
