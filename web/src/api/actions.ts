// What pages change.
import { type Tagged, api, body, tagged } from "./client";
import type { Crash, Doing, GroupDetails, GroupPatch, Merge, NewCrash, Split, StoredEvidence } from "./types";

/** Changes a group, unless it is another one than that of this tag by now. */
export function changeGroup(
  id: string,
  change: GroupPatch,
  etag: string | null,
): Promise<Tagged<GroupDetails>> {
  return tagged(
    api.PATCH("/api/v1/groups/{id}", {
      params: { path: { id }, header: etag === null ? {} : { "If-Match": etag } },
      body: change,
    }),
  );
}

/** Merges other groups into this one. */
export function mergeGroups(id: string, merge: Merge): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/merge", { params: { path: { id } }, body: merge }));
}

/** Parts a group from the one that it was merged into. */
export function unmergeGroup(id: string, doing: Doing): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/unmerge", { params: { path: { id } }, body: doing }));
}

/** Parts variants or crashes from a group; answers the group that they are in since. */
export function splitGroup(id: string, split: Split): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/split", { params: { path: { id } }, body: split }));
}

export function undoGroupChange(id: string, seq: number, doing: Doing): Promise<Tagged<GroupDetails>> {
  return tagged(
    api.POST("/api/v1/groups/{id}/history/{seq}/undo", {
      params: { path: { id, seq } },
      body: doing,
    }),
  );
}

export function createCrash(crash: NewCrash): Promise<Crash> {
  return body(api.POST("/api/v1/crashes", { body: crash }));
}

export function reanalyse(id: string): Promise<Crash> {
  return body(api.POST("/api/v1/crashes/{id}/reanalyse", { params: { path: { id } } }));
}

export function cancelAnalysis(id: string): Promise<Crash> {
  return body(api.POST("/api/v1/crashes/{id}/cancel", { params: { path: { id } } }));
}

export function evidence(id: string): Promise<StoredEvidence> {
  return body(api.GET("/api/v1/blobs/{id}", { params: { path: { id } } }));
}

/** Where the bytes of a piece of evidence are. */
export function contentUrl(id: string): string {
  return `/api/v1/blobs/${encodeURIComponent(id)}/content`;
}
