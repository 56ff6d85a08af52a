// What became of a group: every change, by whom, and taking it back.
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { undoGroupChange } from "../../api/actions";
import { groupHistoryQuery } from "../../api/queries";
import type { HistoryEntry } from "../../api/types";
import { doing, storedActor } from "../../lib/actor";
import { announce } from "../../lib/announce";
import { actionWords, canUndo } from "../../lib/group-words";
import { AuditEntry } from "../AuditEntry";
import { InlineFailure } from "../Failure";
import { More } from "../More";
import { Skeleton } from "../Skeleton";
import { PendingButton } from "../PendingButton";
import { useGroupRefresh } from "./useChange";

export function History({ id }: { id: string }) {
  const query = useInfiniteQuery(groupHistoryQuery(id));
  const entries = query.data?.pages.flatMap((page) => page.items);
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      {query.error && !entries ? (
        <InlineFailure error={query.error} />
      ) : !entries ? (
        <Skeleton what="the history" lines={3} />
      ) : entries.length === 0 ? (
        <p className="muted">Nobody has changed anything about this group.</p>
      ) : (
        <ol className="history" aria-label="Changes, newest first">
          {entries.map((entry) => (
            <Entry key={entry.seq} entry={entry} group={id} />
          ))}
        </ol>
      )}
      <More query={query} what="changes" />
    </section>
  );
}

function Entry({ entry, group }: { entry: HistoryEntry; group: string }) {
  const refresh = useGroupRefresh();
  const undo = useMutation({
    mutationFn: () => undoGroupChange(group, entry.seq, doing(storedActor(), "")),
    onSuccess: () => {
      refresh();
      announce("Taken back.");
    },
  });
  return (
    <AuditEntry
      entry={entry}
      did={actionWords(entry.action)}
      undoneBy={entry.undone_by}
      action={
        canUndo(entry) && (
          <PendingButton
            className="button quiet"
            aria-label={`Undo change ${entry.seq}`}
            pending={undo.isPending}
            onPress={() => undo.mutate()}
          >
            Undo
          </PendingButton>
        )
      }
    >
      {undo.error && <InlineFailure error={undo.error} />}
    </AuditEntry>
  );
}
