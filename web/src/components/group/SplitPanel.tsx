// Making a part of a group a group of its own: some of its crashes, or all of a signature.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { splitGroup } from "../../api/actions";
import { doing as who } from "../../lib/actor";
import { announce } from "../../lib/announce";
import { counted } from "../../lib/format";
import { DoingFields, Field, Panel, useDoing } from "./Panel";
import { type TaggedGroup, useGroupRefresh } from "./useChange";

/** Ids of crashes, or fingerprints of variants. */
export type SplitPart = { crashes: string[] } | { fingerprints: string[] };

interface SplitPanelProps {
  group: string;
  part: SplitPart;
  onClose: () => void;
  /** Given the group that they are in since. */
  onDone: (into: TaggedGroup) => void;
}

export function SplitPanel({ group, part, onClose, onDone }: SplitPanelProps) {
  const [title, setTitle] = useState("");
  const doing = useDoing();
  const refresh = useGroupRefresh();
  const split = useMutation({
    mutationFn: () =>
      splitGroup(group, {
        ...part,
        ...(title.trim() === "" ? {} : { title: title.trim() }),
        ...who(doing.actor, doing.reason),
      }),
    onSuccess: (into) => {
      refresh(into);
      announce("Split off into a group of its own.");
      onClose();
      onDone(into);
    },
  });
  const crashes = "crashes" in part;
  const number = crashes ? part.crashes.length : part.fingerprints.length;
  const what = crashes ? counted(number, "crash", "crashes") : counted(number, "variant");
  return (
    <Panel
      title={`Make ${what} a group of ${number === 1 ? "its" : "their"} own`}
      submit="Split off"
      pending={split.isPending}
      error={split.error}
      disabled={number === 0}
      onSubmit={() => split.mutate()}
      onClose={onClose}
    >
      <p className="muted">
        {crashes
          ? "What is split off stays so, whatever an analysis or a rule says. Crashes to come are not affected; the history can take it back."
          : "Their crashes move there, and those to come follow. No analysis and no rule puts them together again."}
      </p>
      <Field label="Title" hint="Empty: the title of the first of them.">
        {(ids) => (
          <input
            {...ids}
            value={title}
            autoComplete="off"
            onChange={(event) => setTitle(event.target.value)}
          />
        )}
      </Field>
      <DoingFields doing={doing} why="Another bug at the same place" />
    </Panel>
  );
}
