import { useState } from "react";
import { changeGroup } from "../../api/actions";
import type { ResolvedIn } from "../../api/types";
import { doing as who } from "../../lib/actor";
import { shortId } from "../../lib/format";
import { resolvedWords } from "../../lib/group-words";
import { DoingFields, Field, Panel, useDoing } from "./Panel";
import { type TaggedGroup, useChange } from "./useChange";

const KINDS = {
  version: "A version",
  revision: "A revision",
  build: "A build",
  later: "Whatever is built later",
} as const;
type Kind = keyof typeof KINDS;

/** Says in what a group is resolved. */
export function ResolvePanel({ group, onClose }: { group: TaggedGroup; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>(group.by_version.length > 0 ? "version" : "later");
  const [value, setValue] = useState("");
  const doing = useDoing();
  const text = value.trim();
  const resolvedIn: ResolvedIn = kind === "later" ? {} : { [kind]: text };
  const change = useChange({
    group,
    change: (etag) =>
      changeGroup(
        group.id,
        { state: "resolved", resolved_in: resolvedIn, ...who(doing.actor, doing.reason) },
        etag,
      ),
    done: () => `Resolved ${resolvedWords(resolvedIn)}.`,
    onDone: onClose,
  });
  return (
    <Panel
      title="Resolve this group"
      submit="Resolve"
      pending={change.isPending}
      error={change.error}
      disabled={kind !== "later" && text === ""}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      <p className="muted">
        Crashes of something older are counted and change nothing. A crash of what you name here, or of
        something newer, makes the group regress.
      </p>
      <div className="field-row">
        <Field label="Resolved in">
          {(ids) => (
            <select {...ids} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              {Object.entries(KINDS).map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        {kind === "version" && (
          <Field label="First version with the fix">
            {(ids) => (
              <input
                {...ids}
                value={value}
                placeholder="v1.4.2"
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setValue(event.target.value)}
              />
            )}
          </Field>
        )}
        {kind === "revision" && (
          <Field label="Revision with the fix">
            {(ids) => (
              <input
                {...ids}
                className="code-input"
                value={value}
                placeholder="Commit"
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setValue(event.target.value)}
              />
            )}
          </Field>
        )}
        {kind === "build" && <BuildField group={group} value={value} onChange={setValue} />}
      </div>
      <DoingFields doing={doing} why="The mutex covers the map now" />
    </Panel>
  );
}

interface BuildFieldProps {
  group: TaggedGroup;
  value: string;
  onChange: (build: string) => void;
}

function BuildField({ group, value, onChange }: BuildFieldProps) {
  return (
    <Field
      label="Build ID"
      hint={group.by_build.length > 0 ? "Builds of this group are suggested." : undefined}
    >
      {(ids) => (
        <>
          <input
            {...ids}
            className="code-input"
            list={`${ids.id}-builds`}
            value={value}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={`${ids.id}-builds`}>
            {group.by_build.map((build) => (
              <option key={build.value} value={build.value}>
                {build.module_version ?? shortId(build.vcs_revision ?? build.value)}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
