// One change in a history: who did what, when, why, and what became what.
import type { ReactNode } from "react";
import type { RuleHistoryEntry } from "../api/types";
import { type Change, changes } from "../lib/group-words";
import { sentence } from "../lib/titles";
import { Prose } from "./Code";
import { GroupName } from "./GroupName";
import { Time } from "./Time";

interface AuditEntryProps {
  entry: RuleHistoryEntry;
  /** What was done, as it follows who did it. */
  did: string;
  /** The change that took it back. */
  undoneBy?: number | null | undefined;
  /** What can be done about it. */
  action?: ReactNode;
  children?: ReactNode;
}

export function AuditEntry({ entry, did, undoneBy, action, children }: AuditEntryProps) {
  const what = changes(entry);
  return (
    <li className={undoneBy == null ? undefined : "undone"}>
      <div className="history-head">
        <p>
          <span className="muted">{entry.seq}.</span>{" "}
          {entry.actor === "panicle" ? "By itself, it" : <strong>{entry.actor}</strong>} {did}{" "}
          <span className="muted">
            <Time at={entry.at} />
            {undoneBy != null && `, taken back by change ${undoneBy}`}
          </span>
        </p>
        {action}
      </div>
      {what.length > 0 && (
        <dl className="changes">
          {what.map((change) => (
            <div key={change.what}>
              <dt>{change.what}</dt>
              <dd>
                <Became change={change} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {entry.reason != null && (
        <p className="muted">
          <Prose text={sentence(entry.reason)} />
        </p>
      )}
      {children}
    </li>
  );
}

function Became({ change }: { change: Change }) {
  if (change.groups !== undefined) {
    return change.groups.map((id, index) => (
      <span key={id}>
        {index > 0 && ", "}
        <GroupName id={id} />
      </span>
    ));
  }
  return (
    <>
      {change.from !== null && (
        <>
          <del>{change.from}</del> <span aria-hidden="true">→</span>{" "}
        </>
      )}
      {change.to === null ? <span className="muted">nothing</span> : <ins>{change.to}</ins>}
    </>
  );
}
