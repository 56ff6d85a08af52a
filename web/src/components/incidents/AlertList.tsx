import type { Incident, IncidentAlert } from "../../api/types";
import { absoluteTime, counted } from "../../lib/format";
import { lasted, own, said, webAddress } from "../../lib/incident-words";
import { Pages, usePages } from "../Pages";
import { FullTime } from "../Time";
import { Unknown } from "../Unknown";
import { Labels } from "./Labels";
import { Annotations, Sentences } from "./Said";

const AT_ONCE = 20;

/** The alerts of an incident, each with what the others do not have. */
export function AlertList({ incident, alerts }: { incident: Incident; alerts: readonly IncidentAlert[] }) {
  const { shown, ...pages } = usePages(alerts, AT_ONCE);
  const left = incident.alert_count - alerts.length;
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">
        Alerts
        <span className="h-note">
          {counted(incident.alert_count, "alert")}, the one that began first on top
        </span>
      </h2>
      <ol className="alerts" aria-label="Alerts, in the order in which they began">
        {shown.map((alert) => (
          <AlertItem key={`${alert.fingerprint} ${alert.starts_at}`} incident={incident} alert={alert} />
        ))}
      </ol>
      <Pages what="alerts" {...pages} />
      {left > 0 && <p className="muted small">{counted(left, "more alert")} not shown here.</p>}
    </section>
  );
}

function AlertItem({ incident, alert }: { incident: Incident; alert: IncidentAlert }) {
  const { alertname: name, ...labels } = alert.labels;
  const { sentences, runbook, others } = said(own(alert.annotations, incident.annotations), [incident.title]);
  const source = webAddress(alert.generator_url);
  const over = lasted(alert);
  return (
    <li>
      <p className="alert-head">
        <strong>{name ?? <Unknown why="it has no label alertname" />}</strong>{" "}
        <span className={over === null ? "mark state-open" : "mark state-resolved"}>
          {over === null ? "Firing" : "Resolved"}
        </span>{" "}
        <span className="muted small">
          {alert.ends_at == null ? (
            <>
              since <FullTime at={alert.starts_at} />
            </>
          ) : (
            <>
              <time dateTime={alert.starts_at}>{absoluteTime(alert.starts_at)}</time> to{" "}
              <time dateTime={alert.ends_at}>{absoluteTime(alert.ends_at)}</time>, {over}
            </>
          )}
        </span>
      </p>
      <Labels labels={own(labels, incident.labels)} />
      <Sentences sentences={sentences} />
      <Annotations annotations={others} />
      {(runbook !== null || source !== null) && (
        <p className="alert-links small">
          {runbook !== null && (
            <a href={runbook} rel="noreferrer">
              Its runbook
            </a>
          )}
          {source !== null && (
            <a href={source} rel="noreferrer">
              Where it comes from
            </a>
          )}
        </p>
      )}
    </li>
  );
}
