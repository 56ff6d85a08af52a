import { useState } from "react";
import { changeGroup } from "../../api/actions";
import type { MuteUntil } from "../../api/types";
import { doing as who } from "../../lib/actor";
import { muteWords } from "../../lib/group-words";
import { EMPTY_MUTE, MUTE_TIMES, type MuteForm, muteOf } from "../../lib/mute-form";
import { DoingFields, Field, Panel, useDoing } from "./Panel";
import { type TaggedGroup, useChange } from "./useChange";

/** Says until when nobody wants to hear of a group. */
export function MutePanel({ group, onClose }: { group: TaggedGroup; onClose: () => void }) {
  const [form, setForm] = useState(EMPTY_MUTE);
  const doing = useDoing();
  const [wrong, setWrong] = useState<{ wrong: keyof MuteForm; why: string } | null>(null);
  const change = useChange({
    group,
    change: (etag) =>
      changeGroup(
        group.id,
        {
          state: "muted",
          mute: muteOf(form, Date.now()) as MuteUntil,
          ...who(doing.actor, doing.reason),
        },
        etag,
      ),
    done: (changed) => `Muted ${muteWords(changed.mute?.until ?? {})}.`,
    onDone: onClose,
  });
  const submit = () => {
    const until = muteOf(form, Date.now());
    setWrong("wrong" in until ? until : null);
    if (!("wrong" in until)) change.mutate();
  };
  return (
    <Panel
      title="Mute this group"
      submit="Mute"
      pending={change.isPending}
      error={change.error}
      wrong={wrong}
      onSubmit={submit}
      onClose={onClose}
    >
      <MuteFields form={form} wrong={wrong} onChange={setForm} />
      <DoingFields doing={doing} why="Waits for the release on Monday" />
    </Panel>
  );
}

interface MuteFieldsProps {
  form: MuteForm;
  wrong: { wrong: keyof MuteForm; why: string } | null;
  onChange: (form: MuteForm) => void;
}

/** What ends a mute. Also for the rules that mute. */
export function MuteFields({ form, wrong, onChange }: MuteFieldsProps) {
  const set = (change: Partial<MuteForm>) => onChange({ ...form, ...change });
  const problem = (field: keyof MuteForm) =>
    wrong?.wrong === field ? { "aria-invalid": true as const } : {};
  const hint = (field: keyof MuteForm) =>
    wrong?.wrong === field ? <span className="bad">{wrong.why}</span> : undefined;
  return (
    <fieldset>
      <legend>Until the first of these; with none of them, until somebody unmutes it</legend>
      <div className="field-row">
        <Field label="More crashes" hint={hint("count")}>
          {(ids) => (
            <input
              {...ids}
              {...problem("count")}
              inputMode="numeric"
              value={form.count}
              placeholder="Any number"
              autoComplete="off"
              onChange={(event) => set({ count: event.target.value })}
            />
          )}
        </Field>
        <Field label="Time">
          {(ids) => (
            <select
              {...ids}
              value={form.time}
              onChange={(event) => set({ time: event.target.value as MuteForm["time"] })}
            >
              <option value="">any time</option>
              {Object.entries(MUTE_TIMES).map(([name, { label }]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
              <option value="at">until a day and time…</option>
            </select>
          )}
        </Field>
        {form.time === "at" && (
          <Field label="Day and time" hint={hint("at")}>
            {(ids) => (
              <input
                {...ids}
                {...problem("at")}
                type="datetime-local"
                value={form.at}
                onChange={(event) => set({ at: event.target.value })}
              />
            )}
          </Field>
        )}
        <Field label="Version that crashes">
          {(ids) => (
            <input
              {...ids}
              value={form.version}
              placeholder="v1.5.0 or newer"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => set({ version: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="field-row">
        <label className="check">
          <input
            type="checkbox"
            checked={form.escalates}
            onChange={(event) => set({ escalates: event.target.checked })}
          />
          It escalates
        </label>
        {form.escalates && (
          <Field label="Crashes within an hour, more than" hint={hint("perHour")}>
            {(ids) => (
              <input
                {...ids}
                {...problem("perHour")}
                inputMode="numeric"
                value={form.perHour}
                placeholder="5 × its worst hour of the week"
                autoComplete="off"
                onChange={(event) => set({ perHour: event.target.value })}
              />
            )}
          </Field>
        )}
      </div>
    </fieldset>
  );
}
