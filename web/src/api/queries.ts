// What pages read, and how often they read it again.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, tagged } from "./client";
import { ProblemError, UnreachableError } from "./errors";
import type {
  Crash,
  CrashStatus,
  CrashSummary,
  Goroutine,
  GoroutineCluster,
  GoroutinePage,
  EvalAnswer,
  Group,
  GroupDetails,
  HistoryEntry,
  MapDetails,
  MapEntries,
  MapLayout,
  MapPage,
  Page,
  Report,
  Stats,
  StoredBinary,
  TrendPoint,
} from "./types";
import type { GoroutineFilter } from "../lib/goroutine-search";
import { type GroupFilter, TREND_SPANS, type TrendSpan } from "../lib/group-search";
import type { EntryFilter, MapListSearch } from "../lib/map-search";
import { parseExactly } from "../lib/values";

const LIST_LIMIT = 50;
/** Rows that the virtual table asks for at once. */
export const GOROUTINES_AT_ONCE = 100;

const MOVING: ReadonlySet<CrashStatus> = new Set(["received", "queued", "analysing"]);

/** How long until something that could not be read is tried again: only silence passes by itself. */
export function retryInterval(error: unknown): number | false {
  return error instanceof UnreachableError ? 3_000 : false;
}

/** How long until a crash is worth reading again, in milliseconds. */
export function crashRefresh(status: CrashStatus): number {
  if (MOVING.has(status)) return 1_000;
  return status === "waiting-for-binary" ? 3_000 : 30_000;
}

type Next = string | undefined;
const nextCursor = (page: Page<unknown>): Next => page.next_cursor ?? undefined;

export const statsQuery = () =>
  queryOptions({
    queryKey: ["stats"],
    queryFn: ({ signal }) => body<Stats>(api.GET("/api/v1/stats", { signal })),
    refetchInterval: 10_000,
  });

export const groupsQuery = (filter: GroupFilter) =>
  infiniteQueryOptions({
    queryKey: ["groups", filter],
    queryFn: ({ signal, pageParam }) =>
      body<Page<Group>>(
        api.GET("/api/v1/groups", {
          params: { query: { ...filter, limit: LIST_LIMIT, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
    refetchInterval: 10_000,
  });

export const groupQuery = (id: string) =>
  queryOptions({
    queryKey: ["group", id],
    queryFn: ({ signal }) =>
      tagged<GroupDetails>(api.GET("/api/v1/groups/{id}", { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  });

/** Who changed what about a group, newest first. */
export const groupHistoryQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["group", id, "history"],
    queryFn: ({ signal, pageParam }) =>
      body<Page<HistoryEntry>>(
        api.GET("/api/v1/groups/{id}/history", {
          params: { path: { id }, query: { limit: HISTORY_AT_ONCE, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
    refetchInterval: 15_000,
  });

/** Entries of a history that are shown at first, and that each press adds. */
const HISTORY_AT_ONCE = 20;

export const groupTrendQuery = (id: string, span: TrendSpan) =>
  queryOptions({
    queryKey: ["group", id, "trend", span],
    queryFn: ({ signal }) =>
      body<Page<TrendPoint>>(
        api.GET("/api/v1/groups/{id}/trend", {
          params: { path: { id }, query: TREND_SPANS[span].query },
          signal,
        }),
      ),
    refetchInterval: 30_000,
  });

/** Groups to choose from, by what somebody typed. */
export const groupsFoundQuery = (q: string) =>
  queryOptions({
    queryKey: ["groups", "found", q],
    queryFn: ({ signal }) =>
      body<Page<Group>>(
        api.GET("/api/v1/groups", {
          params: { query: { ...(q === "" ? {} : { q }), limit: 8 } as never },
          signal,
        }),
      ),
    staleTime: 10_000,
  });

export interface CrashFilter {
  group?: string | undefined;
  status?: CrashStatus | undefined;
  q?: string | undefined;
}

export const crashesQuery = (filter: CrashFilter) =>
  infiniteQueryOptions({
    queryKey: ["crashes", filter],
    queryFn: ({ signal, pageParam }) =>
      body<Page<CrashSummary>>(
        api.GET("/api/v1/crashes", {
          params: { query: { ...filter, limit: LIST_LIMIT, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
    refetchInterval: 10_000,
  });

export const crashQuery = (id: string) =>
  queryOptions({
    queryKey: ["crash", id],
    queryFn: ({ signal }) =>
      body<Crash>(api.GET("/api/v1/crashes/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) =>
      state.data ? crashRefresh(state.data.status) : retryInterval(state.error),
  });

/** The report of one analysis; null while there is none. `analysedAt` tells analyses apart. */
export const reportQuery = (id: string, analysedAt: string | null | undefined) =>
  queryOptions({
    queryKey: ["report", id, analysedAt ?? null],
    queryFn: async ({ signal }) => {
      try {
        return await body<Report>(
          api.GET("/api/v1/crashes/{id}/report", {
            params: { path: { id }, query: { goroutines: "summary" } },
            signal,
          }),
        );
      } catch (error) {
        if (error instanceof ProblemError && error.slug === "report-not-ready") return null;
        throw error;
      }
    },
    staleTime: Infinity,
  });

export const clustersQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["clusters", id],
    queryFn: ({ signal }) =>
      body<Page<GoroutineCluster>>(
        api.GET("/api/v1/crashes/{id}/clusters", { params: { path: { id } }, signal }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
  });

export const goroutinesQuery = (id: string, filter: GoroutineFilter, offset: number) =>
  queryOptions({
    queryKey: ["goroutines", id, filter, offset],
    queryFn: ({ signal }) =>
      body<GoroutinePage>(
        api.GET("/api/v1/crashes/{id}/goroutines", {
          params: { path: { id }, query: { ...filter, offset, limit: GOROUTINES_AT_ONCE } as never },
          signal,
        }),
      ),
    staleTime: 60_000,
  });

export const goroutineQuery = (id: string, gid: number) =>
  queryOptions({
    queryKey: ["goroutine", id, gid],
    queryFn: ({ signal }) =>
      body<Goroutine>(
        api.GET("/api/v1/crashes/{id}/goroutines/{gid}", { params: { path: { id, gid } }, signal }),
      ),
    staleTime: 60_000,
  });

export const binariesQuery = () =>
  infiniteQueryOptions({
    queryKey: ["binaries"],
    queryFn: ({ signal, pageParam }) =>
      body<Page<StoredBinary>>(
        api.GET("/api/v1/binaries", {
          params: { query: { limit: LIST_LIMIT, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
    refetchInterval: 15_000,
  });

/** Maps that one answer of the server lists. */
const MAPS_AT_ONCE = 100;

export const mapsQuery = (id: string, filter: MapListSearch) =>
  infiniteQueryOptions({
    queryKey: ["maps", id, filter],
    queryFn: ({ signal, pageParam }) =>
      body<MapPage>(
        api.GET("/api/v1/crashes/{id}/maps", {
          params: { path: { id }, query: { ...filter, limit: MAPS_AT_ONCE, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as Next,
    getNextPageParam: nextCursor,
    staleTime: 60_000,
  });

/** How often a question about memory is asked again while the server has too many of them. */
const BUSY = { tries: 30, delay: 1_000 };

/** Whether the server would answer later. */
export function isBusy(error: unknown): boolean {
  return error instanceof ProblemError && error.slug === "busy";
}

/** What memory holds does not change. */
const memory = {
  staleTime: Infinity,
  retry: (failures: number, error: Error) =>
    isBusy(error) ? failures < BUSY.tries : !(error instanceof ProblemError) && failures < 1,
  retryDelay: BUSY.delay,
};

let turn: Promise<unknown> = Promise.resolve();

/** One question about memory at a time: each is work for the server, which answers few at once. */
function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  const mine = turn.then(ask);
  turn = mine.catch(() => undefined);
  return mine;
}

export const mapQuery = (id: string, address: string) =>
  queryOptions({
    queryKey: ["map", id, address],
    queryFn: ({ signal }) =>
      inTurn(() =>
        body<MapDetails>(
          api.GET("/api/v1/crashes/{id}/maps/{address}", { params: { path: { id, address } }, signal }),
        ),
      ),
    ...memory,
  });

/** Entries that are shown at once. */
export const ENTRIES_AT_ONCE = 50;

export const mapEntriesQuery = (id: string, address: string, filter: EntryFilter & { key?: string }) =>
  queryOptions({
    queryKey: ["map-entries", id, address, filter],
    queryFn: ({ signal }) =>
      inTurn(() =>
        body<MapEntries>(
          api.GET("/api/v1/crashes/{id}/maps/{address}/entries", {
            params: { path: { id, address }, query: { ...filter, limit: ENTRIES_AT_ONCE } as never },
            signal,
          }),
        ),
      ),
    ...memory,
  });

export const mapLayoutQuery = (
  id: string,
  address: string,
  part: { from: number; limit: number; key?: string },
) =>
  queryOptions({
    queryKey: ["map-layout", id, address, part],
    queryFn: ({ signal }) =>
      inTurn(() =>
        body<MapLayout>(
          api.GET("/api/v1/crashes/{id}/maps/{address}/layout", {
            params: { path: { id, address }, query: part },
            signal,
          }),
        ),
      ),
    ...memory,
  });

export const evalQuery = (id: string, question: { expr: string; goroutine: number; frame?: number }) =>
  queryOptions({
    queryKey: ["eval", id, question],
    queryFn: async ({ signal }) =>
      parseExactly(
        await inTurn(() =>
          body<string>(
            api.GET("/api/v1/crashes/{id}/eval", {
              params: { path: { id }, query: question },
              parseAs: "text",
              signal,
            }),
          ),
        ),
      ) as EvalAnswer,
    ...memory,
  });
