// Incidents that an alert manager told of.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { retryInterval } from "./queries";
import type { Incident, IncidentDetails, IncidentState, Page } from "./types";

const AT_ONCE = 50;

/** Those in one state, newest first. */
export const incidentsQuery = (state: IncidentState) =>
  infiniteQueryOptions({
    queryKey: ["incidents", state],
    queryFn: ({ signal, pageParam }) =>
      body<Page<Incident>>(
        api.GET("/api/v1/incidents", {
          params: { query: { state, limit: AT_ONCE, cursor: pageParam } as never },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page): string | undefined => page.next_cursor ?? undefined,
    refetchInterval: 10_000,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ["incident", id],
    queryFn: ({ signal }) =>
      body<IncidentDetails>(api.GET("/api/v1/incidents/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data ? 10_000 : retryInterval(state.error)),
  });
