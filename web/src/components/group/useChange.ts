// Changing a group, and what to do when somebody else was faster.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Tagged } from "../../api/client";
import { ProblemError } from "../../api/errors";
import { groupQuery } from "../../api/queries";
import type { GroupDetails } from "../../api/types";
import { announce } from "../../lib/announce";

export type TaggedGroup = Tagged<GroupDetails>;

/** Reads everything again that shows a group. */
export function useGroupRefresh() {
  const client = useQueryClient();
  return (changed?: TaggedGroup) => {
    if (changed) client.setQueryData(groupQuery(changed.id).queryKey, changed);
    void client.invalidateQueries({ queryKey: ["group"] });
    void client.invalidateQueries({ queryKey: ["groups"] });
    void client.invalidateQueries({ queryKey: ["crashes"] });
    void client.invalidateQueries({ queryKey: ["crash"] });
  };
}

/** Somebody changed it between its being read and its being changed. */
export function isConflict(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 412;
}

interface ChangeOptions {
  group: TaggedGroup;
  /** What the change is bound to is what was read when the form was opened. */
  change: (etag: string | null) => Promise<TaggedGroup>;
  /** Told when it has happened. */
  done: (group: TaggedGroup) => string;
  onDone: (group: TaggedGroup) => void;
}

/** One change by a form. After a conflict, the group is read again, and the next press is about that. */
export function useChange({ group, change, done, onDone }: ChangeOptions) {
  const client = useQueryClient();
  const refresh = useGroupRefresh();
  const [etag, setEtag] = useState(group.etag);
  return useMutation({
    mutationFn: () => change(etag),
    onSuccess: (changed) => {
      refresh(changed);
      announce(done(changed));
      onDone(changed);
    },
    onError: async (error) => {
      if (!isConflict(error)) return;
      const fresh = await client.query({ ...groupQuery(group.id), staleTime: 0 });
      setEtag(fresh.etag);
    },
  });
}
