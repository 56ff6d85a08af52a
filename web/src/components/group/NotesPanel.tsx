import { useState } from "react";
import { changeGroup } from "../../api/actions";
import { doing as who } from "../../lib/actor";
import { DoingFields, Field, Panel, useDoing } from "./Panel";
import { type TaggedGroup, useChange } from "./useChange";

/** Who looks after a group, and what is known of it. */
export function NotesPanel({ group, onClose }: { group: TaggedGroup; onClose: () => void }) {
  // What was there when this was opened: the group may change meanwhile.
  const [before] = useState(group);
  const [owner, setOwner] = useState(before.owner ?? "");
  const [notes, setNotes] = useState(before.notes ?? "");
  const [cores, setCores] = useState(before.keep_cores == null ? "" : String(before.keep_cores));
  const doing = useDoing();
  const wrong = cores.trim() !== "" && !/^\d{1,6}$/.test(cores.trim());
  const change = useChange({
    group,
    // Only what is other than it was, so that nothing of somebody else's is undone.
    change: (etag) =>
      changeGroup(
        group.id,
        {
          ...(owner.trim() === (before.owner ?? "") ? {} : { owner }),
          ...(notes.trim() === (before.notes ?? "") ? {} : { notes }),
          ...(Number(cores) === (before.keep_cores ?? 0) ? {} : { keep_cores: Number(cores) }),
          ...who(doing.actor, doing.reason),
        },
        etag,
      ),
    done: () => "Saved.",
    onDone: onClose,
  });
  return (
    <Panel
      title="Owner and notes"
      submit="Save"
      pending={change.isPending}
      error={change.error}
      disabled={wrong}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      <div className="field-row">
        <Field label="Owner">
          {(ids) => (
            <input
              {...ids}
              value={owner}
              placeholder="A person or a team"
              autoComplete="off"
              onChange={(event) => setOwner(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Full cores to keep"
          hint={wrong ? <span className="bad">A whole number.</span> : "Empty: as for all groups."}
        >
          {(ids) => (
            <input
              {...ids}
              inputMode="numeric"
              value={cores}
              placeholder="As for all groups"
              autoComplete="off"
              onChange={(event) => setCores(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field label="Notes">
        {(ids) => (
          <textarea {...ids} rows={5} value={notes} onChange={(event) => setNotes(event.target.value)} />
        )}
      </Field>
      <DoingFields doing={doing} />
    </Panel>
  );
}
