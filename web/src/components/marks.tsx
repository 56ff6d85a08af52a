// Small marks that say a state in words, with an icon or a colour beside them, never instead.
import type { CrashStatus, GroupState, IncidentState, Verdict } from "../api/types";
import { classInfo } from "../lib/classes";
import { INCIDENT_STATE_WORDS } from "../lib/incident-words";
import { CONFIDENCE_WORDS, STATE_WORDS, STATUS_WORDS } from "../lib/words";
import { Icon } from "./Icon";

export function ClassMark({ slug }: { slug: string | null | undefined }) {
  const info = classInfo(slug);
  return (
    <span className="class-mark">
      <Icon name={info.icon} />
      {info.label}
    </span>
  );
}

export function StateMark({ state }: { state: GroupState }) {
  return <span className={`mark state-${state}`}>{STATE_WORDS[state]}</span>;
}

export function StatusMark({ status }: { status: CrashStatus }) {
  return <span className={`mark status-${status}`}>{STATUS_WORDS[status]}</span>;
}

export function IncidentMark({ state }: { state: IncidentState }) {
  return <span className={`mark state-${state}`}>{INCIDENT_STATE_WORDS[state]}</span>;
}

export function ConfidenceMark({ confidence }: { confidence: Verdict["confidence"] }) {
  const words = CONFIDENCE_WORDS[confidence];
  return (
    <span className={`confidence confidence-${confidence}`}>
      <span className="confidence-steps" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <strong>{words.label}</strong>
      <span className="muted">: {words.meaning}</span>
    </span>
  );
}
