// The query language: what can be asked, what could be typed next, what was found, what is kept.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Tagged, api, body, tagged } from "./client";
import { ProblemError } from "./errors";
import type { Completion, Page, QueryField, SavedQuery, SearchResult } from "./types";

/** A problem with the text of a query or predicate, at a place of it. */
export function isBadQuery(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.slug === "bad-query";
}

export const queryFieldsQuery = () =>
  queryOptions({
    queryKey: ["query-fields"],
    queryFn: ({ signal }) => body<Page<QueryField>>(api.GET("/api/v1/query/fields", { signal })),
    staleTime: Infinity,
  });

/** What could be typed at byte `at` of `q`. */
export const completionQuery = (q: string, at: number) =>
  queryOptions({
    queryKey: ["query-complete", q, at],
    queryFn: async ({ signal }) => ({
      q,
      ...(await body<Completion>(
        api.GET("/api/v1/query/complete", { params: { query: { q, at, limit: 12 } }, signal }),
      )),
    }),
    staleTime: 30_000,
    retry: false,
    placeholderData: keepPreviousData,
  });

export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal }) =>
      body<SearchResult>(api.GET("/api/v1/search", { params: { query: { q, limit: 20 } }, signal })),
    refetchInterval: ({ state }) => (state.error ? false : 15_000),
  });

export const savedQueriesQuery = () =>
  infiniteQueryOptions({
    queryKey: ["saved-queries"],
    queryFn: ({ signal, pageParam }) =>
      body<Page<SavedQuery>>(
        api.GET("/api/v1/queries", {
          params: { query: { limit: 100, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 10_000,
  });

export const savedQueryQuery = (id: string) =>
  queryOptions({
    queryKey: ["saved-query", id],
    queryFn: ({ signal }) =>
      tagged<SavedQuery>(api.GET("/api/v1/queries/{id}", { params: { path: { id } }, signal })),
    staleTime: 0,
  });

interface NewQuery {
  name: string;
  query: string;
}

export function saveQuery(query: NewQuery): Promise<SavedQuery> {
  return body(api.POST("/api/v1/queries", { body: query }));
}

export function changeSavedQuery(
  id: string,
  query: NewQuery,
  etag: string | null,
): Promise<Tagged<SavedQuery>> {
  return tagged(
    api.PUT("/api/v1/queries/{id}", { params: { path: { id }, header: ifMatch(etag) }, body: query }),
  );
}

export function deleteSavedQuery(id: string, etag: string | null): Promise<void> {
  return body(api.DELETE("/api/v1/queries/{id}", { params: { path: { id }, header: ifMatch(etag) } }));
}

export function ifMatch(etag: string | null): { "If-Match"?: string } {
  return etag === null ? {} : { "If-Match": etag };
}
