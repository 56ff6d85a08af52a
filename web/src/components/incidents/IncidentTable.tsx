import { Link } from "@tanstack/react-router";
import type { Incident } from "../../api/types";
import { count, counted } from "../../lib/format";
import { incidentHeadline, lasted } from "../../lib/incident-words";
import { IncidentMark } from "../marks";
import { Time } from "../Time";
import { Labels } from "./Labels";

const LABELS_SHOWN = 4;

/** Incidents, a line each. On a phone each is a card; the roles keep it a table for screen readers. */
export function IncidentTable({ incidents, caption }: { incidents: readonly Incident[]; caption: string }) {
  return (
    <table role="table" className="data cards incidents">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            Incident
          </th>
          <th role="columnheader" scope="col">
            State
          </th>
          <th role="columnheader" scope="col">
            Began
          </th>
          <th role="columnheader" scope="col">
            Lasted
          </th>
          <th role="columnheader" scope="col">
            Alerts
          </th>
          <th role="columnheader" scope="col">
            Crashes
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {incidents.map((incident) => (
          <tr role="row" key={incident.id}>
            <th role="rowheader" scope="row">
              <Link to="/incidents/$id" params={{ id: incident.id }}>
                {incidentHeadline(incident)}
              </Link>
              <Labels labels={incident.labels} most={LABELS_SHOWN} total={incident.label_count} />
            </th>
            <td role="cell">
              <IncidentMark state={incident.state} />
            </td>
            <td role="cell">
              <Time at={incident.starts_at} />
            </td>
            <td role="cell">{lasted(incident) ?? <span className="muted">not over</span>}</td>
            <td role="cell" className="muted">
              {counted(incident.alert_count, "alert")}
            </td>
            <td role="cell">
              {incident.crash_count === 0 ? (
                <span className="muted">no crash</span>
              ) : (
                <>
                  <strong>{count(incident.crash_count)}</strong>{" "}
                  {incident.crash_count === 1 ? "crash" : "crashes"}
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
