// Making or changing a rule: what it claims, what becomes of that, and what it would do before it is saved.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import { ProblemError } from "../../api/errors";
import { groupsFoundQuery } from "../../api/queries";
import { changeRule, conflictsOf, createRule, previewRule } from "../../api/rules";
import { isBadQuery } from "../../api/search";
import type { Tagged } from "../../api/client";
import type { NewRule, Rule, RuleKind, RulePlan } from "../../api/types";
import { doing as who } from "../../lib/actor";
import { announce } from "../../lib/announce";
import { classInfo } from "../../lib/classes";
import { counted } from "../../lib/format";
import { muteWords } from "../../lib/group-words";
import { EMPTY_MUTE, type MuteForm, muteOf } from "../../lib/mute-form";
import { groupHeadline } from "../../lib/titles";
import { InlineFailure } from "../Failure";
import { MuteFields } from "../group/MutePanel";
import { DoingFields, Field, Panel, useDoing } from "../group/Panel";
import { PendingButton } from "../PendingButton";
import { QueryHelp } from "../query/QueryHelp";
import { QueryInput, useQueryIds } from "../query/QueryInput";
import { QueryProblem } from "../query/QueryProblem";
import { Conflicts, PlanView } from "./PlanView";

interface RuleFormProps {
  /** The rule to change; without it, one is made. */
  rule?: Tagged<Rule>;
  /** What it claims to begin with. */
  predicate?: string;
  onClose: () => void;
}

export function RuleForm({ rule, predicate: given = "", onClose }: RuleFormProps) {
  const client = useQueryClient();
  const { id, problem } = useQueryIds();
  const [kind, setKind] = useState<RuleKind>(rule?.kind ?? "merge");
  const [name, setName] = useState(rule?.name ?? "");
  const [predicate, setPredicate] = useState(rule?.predicate ?? given);
  const [group, setGroup] = useState(rule?.group_id ?? "");
  const [mute, setMute] = useState<MuteForm>({ ...EMPTY_MUTE, escalates: rule === undefined });
  const [newMute, setNewMute] = useState(rule === undefined);
  const [wrong, setWrong] = useState<{ wrong: keyof MuteForm; why: string } | null>(null);
  const doing = useDoing();
  const text = predicate.trim();

  const draft = (): NewRule | null => {
    const until = kind === "mute" && newMute ? muteOf(mute, Date.now()) : null;
    if (until !== null && "wrong" in until) {
      setWrong(until);
      return null;
    }
    setWrong(null);
    return {
      kind,
      name: name.trim(),
      predicate: text,
      ...(kind === "merge" && group !== "" ? { group_id: group } : {}),
      ...(until === null ? {} : { mute: until }),
    };
  };
  const preview = useMutation({ mutationFn: previewRule });
  const save = useMutation({
    mutationFn: (wanted: NewRule) => {
      const more = who(doing.actor, doing.reason);
      if (rule === undefined) return createRule({ ...wanted, ...more });
      const { name: called = "", predicate: claims, mute: until } = wanted;
      const change = { name: called, predicate: claims, ...(until ? { mute: until } : {}) };
      return changeRule(rule.id, { ...change, ...more }, rule.etag);
    },
    onSuccess: (saved) => {
      announce(`The rule ${saved.name} is saved. All history is grouped by it now.`);
      void client.invalidateQueries({ queryKey: ["rules"] });
      void client.invalidateQueries({ queryKey: ["rule"] });
      void client.invalidateQueries({ queryKey: ["regroup"] });
      void client.invalidateQueries({ queryKey: ["groups"] });
      onClose();
    },
  });
  // What was tried is about these words alone.
  const tried = preview.variables?.predicate === text && preview.variables.kind === kind;
  const error = save.error ?? (tried ? preview.error : null);
  const bad = isBadQuery(error) ? error : null;
  const conflicts = conflictsOf(save.error);
  const plan = tried && !preview.isPending && preview.data ? without(preview.data, rule?.id) : undefined;
  return (
    <Panel
      title={rule === undefined ? "New rule" : `Change the rule ${rule.name}`}
      submit={rule === undefined ? "Save the rule" : "Save"}
      what="rule"
      pending={save.isPending}
      error={bad === null && conflicts.length === 0 ? save.error : null}
      disabled={text === "" || name.trim() === "" || (plan?.conflicts.length ?? 0) > 0}
      wrong={wrong}
      onSubmit={() => {
        const wanted = draft();
        if (wanted) save.mutate(wanted);
      }}
      onClose={onClose}
    >
      <div className="field-row">
        {rule === undefined && (
          <Field label="What it does">
            {(ids) => (
              <select {...ids} value={kind} onChange={(event) => setKind(event.target.value as RuleKind)}>
                <option value="merge">Makes crashes one group</option>
                <option value="mute">Mutes groups</option>
              </select>
            )}
          </Field>
        )}
        <Field label="Name" hint={name.trim() === "" && plan ? "It takes a name to save it." : undefined}>
          {(ids) => (
            <input
              {...ids}
              value={name}
              placeholder="Cache without a lock"
              autoComplete="off"
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
      </div>
      <div className="field">
        <label htmlFor={id}>Crashes that it claims</label>
        <QueryInput
          id={id}
          value={predicate}
          placeholder={'class:nil-map-write && "(*Cache).Put"'}
          invalid={bad ? problem : undefined}
          describedBy={`${id}-hint`}
          onChange={(value) => {
            setPredicate(value);
            save.reset();
          }}
        />
        <p className="muted small" id={`${id}-hint`}>
          Whole words in quotes are looked for in frames, title, class and message. With <code>&&</code>,{" "}
          <code>||</code>, <code>!</code> and parentheses, and fields that do not change: <code>class:</code>,{" "}
          <code>frame:</code>, <code>version:</code>, <code>label.env:</code>.
        </p>
      </div>
      {bad && <QueryProblem error={bad} text={text} id={problem} />}
      {kind === "merge" && rule === undefined && <GroupField value={group} onChange={setGroup} />}
      {kind === "mute" &&
        (newMute ? (
          <MuteFields form={mute} wrong={wrong} onChange={setMute} />
        ) : (
          <p>
            Mutes {muteWords(rule?.mute ?? {})}.{" "}
            <Button className="button" onPress={() => setNewMute(true)}>
              Change that
            </Button>
          </p>
        ))}
      <DoingFields doing={doing} />
      {conflicts.length > 0 && <Conflicts conflicts={conflicts} />}
      {tried && preview.error && !bad && <InlineFailure error={preview.error} />}
      {plan && <PlanView plan={plan} kind={kind} />}
      <div className="panel-actions">
        <PendingButton
          className="button"
          pending={preview.isPending}
          isDisabled={text === ""}
          onPress={() => {
            save.reset();
            const wanted = draft();
            if (wanted) preview.mutate(wanted);
          }}
        >
          {preview.isPending ? "Trying…" : "Try it on history"}
        </PendingButton>
        <span className="muted small">Nothing is changed by that.</span>
      </div>
      <details className="twin">
        <summary>What can be asked in a rule</summary>
        <QueryHelp rules />
      </details>
    </Panel>
  );
}

/** What a rule would do, without what it claims itself by now: the trial takes it for another one. */
function without(plan: RulePlan, rule: string | undefined): RulePlan {
  if (rule === undefined) return plan;
  return { ...plan, conflicts: plan.conflicts.filter(({ reason }) => !reason.includes(rule)) };
}

/** A group that exists, or a new one. */
function GroupField({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const found = useQuery(groupsFoundQuery(""));
  const groups = found.data?.items ?? [];
  return (
    <Field label="Into" hint={found.error instanceof ProblemError ? found.error.message : undefined}>
      {(ids) => (
        <select {...ids} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">a new group with the rule's name</option>
          {groups.map((group) => (
            <option key={group.id} value={group.id}>
              {groupHeadline(group.title, classInfo(group.class).label)} (
              {counted(group.count, "crash", "crashes")})
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
