// The incidents during which a crash, or crashes of a group, happened.
import { Link } from "@tanstack/react-router";
import type { IncidentReference } from "../../api/types";
import { counted } from "../../lib/format";
import { sentence } from "../../lib/titles";
import { IncidentMark } from "../marks";
import { Time } from "../Time";

const SHOWN = 3;

/** A line for each, newest first, with why it is there; nothing where there was none. */
export function During({ incidents }: { incidents: readonly IncidentReference[] }) {
  if (incidents.length === 0) return null;
  const rest = incidents.slice(SHOWN);
  return (
    <div className="during">
      <Lines incidents={incidents.slice(0, SHOWN)} label="Incidents" />
      {rest.length > 0 && (
        <details className="twin">
          <summary>During {counted(rest.length, "older incident")}</summary>
          <Lines incidents={rest} label="Older incidents" />
        </details>
      )}
    </div>
  );
}

function Lines({ incidents, label }: { incidents: readonly IncidentReference[]; label: string }) {
  return (
    <ul aria-label={label}>
      {incidents.map((incident) => (
        <li key={incident.id}>
          During incident{" "}
          <Link to="/incidents/$id" params={{ id: incident.id }}>
            {incident.title}
          </Link>{" "}
          <IncidentMark state={incident.state} />{" "}
          <span className="muted small">
            {incident.reason == null ? (
              <>
                Began <Time at={incident.starts_at} />.
              </>
            ) : (
              sentence(incident.reason)
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
