import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { incidentQuery } from "../api/incidents";
import type { Incident } from "../api/types";
import { CopyButton } from "../components/Copy";
import { Fact, Facts } from "../components/Facts";
import { Failure } from "../components/Failure";
import { AlertList } from "../components/incidents/AlertList";
import { LinkedCrashes, LinkedGroups } from "../components/incidents/Linked";
import { Annotations, Sentences } from "../components/incidents/Said";
import { IncidentMark } from "../components/marks";
import { Skeleton } from "../components/Skeleton";
import { FullTime, Time } from "../components/Time";
import { useNow, useTitle } from "../lib/hooks";
import { incidentHeadline, isSilent, labelsInOrder, lasted, said, webAddress } from "../lib/incident-words";

const route = getRouteApi("/incidents/$id");

/** One incident: what the alert said, and what crashed meanwhile. */
export default function IncidentPage() {
  const { id } = route.useParams();
  const query = useQuery(incidentQuery(id));
  const incident = query.data;
  useTitle(incident ? `Incident: ${incidentHeadline(incident)}` : "Incident");
  if (!incident) {
    if (query.error)
      return <Failure error={query.error} what="incident" retry={() => void query.refetch()} />;
    return (
      <div className="page">
        <Skeleton what="the incident" lines={10} />
      </div>
    );
  }
  return (
    <div className="page">
      <Head incident={incident} />
      <div className="with-aside">
        <div>
          <LinkedCrashes incident={incident} />
          <LinkedGroups key={`groups of ${id}`} incident={incident} />
          <AlertList key={`alerts of ${id}`} incident={incident} alerts={incident.alerts} />
        </div>
        <About incident={incident} />
      </div>
    </div>
  );
}

function Head({ incident }: { incident: Incident }) {
  const { sentences, runbook } = said(incident.annotations, [incident.title]);
  const manager = webAddress(incident.external_url);
  const over = lasted(incident);
  return (
    <header className="page-title">
      <p className="eyebrow">
        <Link to="/incidents">Incidents</Link> <span aria-hidden="true">/</span>{" "}
        <IncidentMark state={incident.state} />
      </p>
      <h1>{incidentHeadline(incident)}</h1>
      <p className="context">
        Began <Time at={incident.starts_at} />
        {over === null ? ", not over" : `, lasted ${over}`}
      </p>
      <div className="incident-said">
        <Sentences sentences={sentences} />
      </div>
      <Silent incident={incident} />
      <div className="actions">
        {runbook !== null && (
          <a href={runbook} rel="noreferrer" className="button primary">
            Open the runbook
          </a>
        )}
        {manager !== null && (
          <a href={manager} rel="noreferrer" className="button">
            Open Alertmanager
          </a>
        )}
        <CopyButton
          label="Copy link"
          what="the link"
          icon="link"
          text={() => `${window.location.origin}${window.location.pathname}`}
        />
      </div>
    </header>
  );
}

function Silent({ incident }: { incident: Incident }) {
  const now = useNow();
  if (!isSilent(incident, now)) return null;
  return (
    <p className="notice warn">
      Alertmanager has said nothing of it since <Time at={incident.updated_at} />, neither that it goes on nor
      that it is over. Crashes that happen a day after that, or later, are not linked.
    </p>
  );
}

function About({ incident }: { incident: Incident }) {
  const { others } = said(incident.annotations, []);
  const labels = labelsInOrder(incident.labels);
  return (
    <aside aria-label="What the alerts said">
      <section aria-labelledby="said">
        <h2 id="said">Labels</h2>
        {labels.length === 0 ? (
          <p className="muted">The alerts have none in common.</p>
        ) : (
          <Facts>
            {labels.map(([name, value]) => (
              <Fact key={name} name={name}>
                {value}
              </Fact>
            ))}
          </Facts>
        )}
      </section>
      {others.length > 0 && (
        <section aria-labelledby="annotations">
          <h2 id="annotations">Annotations</h2>
          <Annotations annotations={others} />
        </section>
      )}
      <section aria-labelledby="times">
        <h2 id="times">When, and by whom</h2>
        <Facts>
          <Fact name="Began">
            <FullTime at={incident.starts_at} />
          </Fact>
          <Fact name="Over">
            {incident.ends_at == null ? (
              <span className="muted">not yet</span>
            ) : (
              <FullTime at={incident.ends_at} />
            )}
          </Fact>
          <Fact name="Heard of last">
            <FullTime at={incident.updated_at} />
          </Fact>
          <Fact name="Receiver" why="Alertmanager did not say">
            {incident.receiver}
          </Fact>
        </Facts>
      </section>
    </aside>
  );
}
