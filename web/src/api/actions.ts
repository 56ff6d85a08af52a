// What pages change.
import { type Tagged, api, body, tagged } from "./client";
import type {
  Crash,
  GroupDetails,
  GroupPatch,
  Merge,
  MuteUntil,
  NewCrash,
  ResolvedIn,
  Split,
  StoredEvidence,
} from "./types";

/** Who changes something, and why; both go into the history. */
export interface Doing {
  actor?: string;
  reason?: string;
}

/** What is absent stays as it is. */
export type GroupChange = Partial<Omit<GroupPatch, "mute" | "resolved_in">> & {
  mute?: MuteUntil;
  resolved_in?: ResolvedIn;
};

/** Changes a group, unless it is another one than that of this tag by now. */
export function changeGroup(
  id: string,
  change: GroupChange,
  etag: string | null,
): Promise<Tagged<GroupDetails>> {
  return tagged(
    api.PATCH("/api/v1/groups/{id}", {
      params: { path: { id }, header: etag === null ? {} : { "If-Match": etag } },
      body: change as never,
    }),
  );
}

/** Merges other groups into this one. */
export function mergeGroups(id: string, merge: Partial<Merge>): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/merge", { params: { path: { id } }, body: merge as never }));
}

/** Parts a group from the one that it was merged into. */
export function unmergeGroup(id: string, doing: Doing): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/unmerge", { params: { path: { id } }, body: doing as never }));
}

/** Parts variants or crashes from a group; answers the group that they are in since. */
export function splitGroup(id: string, split: Partial<Split>): Promise<Tagged<GroupDetails>> {
  return tagged(api.POST("/api/v1/groups/{id}/split", { params: { path: { id } }, body: split as never }));
}

export function undoGroupChange(id: string, seq: number, doing: Doing): Promise<Tagged<GroupDetails>> {
  return tagged(
    api.POST("/api/v1/groups/{id}/history/{seq}/undo", {
      params: { path: { id, seq } },
      body: doing as never,
    }),
  );
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
