// Who is signed in with this browser. The token itself is in a cookie that no script can read.
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import type { Session } from "./types";

export const sessionQuery = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => body<Session>(api.GET("/api/v1/session", { signal })),
    staleTime: Infinity,
  });

export function signIn(token: string): Promise<Session> {
  return body(api.POST("/api/v1/session", { body: { token } }));
}

export function signOut(): Promise<void> {
  return body(api.DELETE("/api/v1/session"));
}
