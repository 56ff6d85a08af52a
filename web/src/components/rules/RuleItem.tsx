import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import { changeRule, conflictsOf, deleteRule, ruleHistoryQuery, ruleQuery } from "../../api/rules";
import type { Rule } from "../../api/types";
import { doing, storedActor } from "../../lib/actor";
import { announce } from "../../lib/announce";
import { muteWords } from "../../lib/group-words";
import { AuditEntry } from "../AuditEntry";
import { InlineFailure } from "../Failure";
import { GroupName } from "../GroupName";
import { PendingButton } from "../PendingButton";
import { Skeleton } from "../Skeleton";
import { Time } from "../Time";
import { Conflicts } from "./PlanView";
import { RuleForm } from "./RuleForm";

/** One rule, with what can be done about it. */
export function RuleItem({ rule }: { rule: Rule }) {
  const client = useQueryClient();
  const [open, setOpen] = useState<"edit" | "history" | "delete" | null>(null);
  const read = useQuery({ ...ruleQuery(rule.id), enabled: open === "edit" });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ["rules"] });
    void client.invalidateQueries({ queryKey: ["rule"] });
    void client.invalidateQueries({ queryKey: ["regroup"] });
    void client.invalidateQueries({ queryKey: ["group"] });
    void client.invalidateQueries({ queryKey: ["groups"] });
  };
  const toggle = useMutation({
    mutationFn: () => changeRule(rule.id, { enabled: !rule.enabled, ...doing(storedActor(), "") }, null),
    onSuccess: (changed) => {
      refresh();
      announce(changed.enabled ? "The rule is on." : "The rule is off; what it did is put back.");
    },
  });
  const remove = useMutation({
    mutationFn: () => deleteRule(rule.id, doing(storedActor(), "")),
    onSuccess: () => {
      refresh();
      announce(`${rule.name} is deleted; what it did is put back.`);
    },
  });
  const part = (name: "edit" | "history" | "delete", label: string, of = label) => (
    <Button
      className="button"
      aria-expanded={open === name}
      aria-label={`${of} ${rule.name}`}
      onPress={() => setOpen(open === name ? null : name)}
    >
      {label}
    </Button>
  );
  const conflicts = conflictsOf(toggle.error);
  return (
    <li className={rule.enabled ? "rule" : "rule off"}>
      <div className="rule-head">
        <div>
          <h3>
            {rule.name}{" "}
            <span className={rule.enabled ? "mark state-resolved" : "mark"}>
              {rule.enabled ? "on" : "off"}
            </span>
          </h3>
          <p>
            <code>{rule.predicate}</code>
          </p>
          {rule.problem != null && (
            <p className="small" role="note">
              It keeps the crashes that it has and claims no others: {rule.problem}.
            </p>
          )}
          <p className="muted small">
            {rule.kind === "merge" ? (
              <>
                Makes one group of them
                {rule.group_id != null && (
                  <>
                    : <GroupName id={rule.group_id} />
                  </>
                )}
              </>
            ) : (
              <>Mutes groups that have nothing else, {muteWords(rule.mute ?? {})}</>
            )}
            . Made <Time at={rule.created_at} />.
          </p>
        </div>
        <div className="rule-actions">
          <PendingButton
            className="button"
            aria-label={`Switch ${rule.enabled ? "off" : "on"} ${rule.name}`}
            pending={toggle.isPending}
            onPress={() => toggle.mutate()}
          >
            Switch {rule.enabled ? "off" : "on"}
          </PendingButton>
          {part("edit", "Change")}
          {part("history", "History", "History of")}
          {part("delete", "Delete")}
        </div>
      </div>
      {conflicts.length > 0 ? (
        <Conflicts conflicts={conflicts} />
      ) : (
        toggle.error && <InlineFailure error={toggle.error} />
      )}
      {open === "edit" &&
        (read.data ? (
          <RuleForm key={rule.id} rule={read.data} onClose={() => setOpen(null)} />
        ) : read.error ? (
          <InlineFailure error={read.error} />
        ) : (
          <Skeleton what="the rule" lines={3} />
        ))}
      {open === "history" && <RuleHistory id={rule.id} />}
      {open === "delete" && (
        <div className="notice warn">
          <p>What it did is put back: crashes go where their signatures say, mutes of it end.</p>
          <div className="panel-actions after-table">
            <PendingButton
              className="button primary"
              pending={remove.isPending}
              onPress={() => remove.mutate()}
            >
              Delete the rule
            </PendingButton>
            <Button className="button" onPress={() => setOpen(null)}>
              Keep it
            </Button>
          </div>
        </div>
      )}
      {remove.error && <InlineFailure error={remove.error} />}
    </li>
  );
}

function RuleHistory({ id }: { id: string }) {
  const query = useQuery(ruleHistoryQuery(id));
  if (query.error) return <InlineFailure error={query.error} />;
  if (!query.data) return <Skeleton what="the history" lines={2} />;
  return (
    <ol className="history" aria-label="Changes of the rule, newest first">
      {query.data.items.map((entry) => (
        <AuditEntry key={entry.seq} entry={entry} did={`${entry.action} it`} />
      ))}
    </ol>
  );
}
