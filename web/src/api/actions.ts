// What pages change.
import { api, body } from "./client";
import type { Crash, GroupDetails, GroupState, NewCrash, StoredEvidence } from "./types";

export function setGroupState(id: string, state: GroupState): Promise<GroupDetails> {
  return body(api.PATCH("/api/v1/groups/{id}", { params: { path: { id } }, body: { state } as never }));
}

export function createCrash(crash: NewCrash): Promise<Crash> {
  return body(api.POST("/api/v1/crashes", { body: crash as never }));
}

export function reanalyse(id: string): Promise<Crash> {
  return body(api.POST("/api/v1/crashes/{id}/reanalyse", { params: { path: { id } } }));
}

export function evidence(id: string): Promise<StoredEvidence> {
  return body(api.GET("/api/v1/blobs/{id}", { params: { path: { id } as never } }));
}

/** Where the bytes of a piece of evidence are. */
export function contentUrl(id: string): string {
  return `/api/v1/blobs/${encodeURIComponent(id)}/content`;
}
