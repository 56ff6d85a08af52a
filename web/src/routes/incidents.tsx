import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { incidentsQuery } from "../api/incidents";
import type { Incident } from "../api/types";
import { Failure } from "../components/Failure";
import { HowToConnect } from "../components/incidents/HowToConnect";
import { IncidentTable } from "../components/incidents/IncidentTable";
import { More } from "../components/More";
import { Skeleton } from "../components/Skeleton";
import { useTitle } from "../lib/hooks";

/** What alert managers told of: those that are open, then those that are over. */
export default function IncidentsPage() {
  useTitle("Incidents");
  const open = useInfiniteQuery(incidentsQuery("open"));
  const resolved = useInfiniteQuery(incidentsQuery("resolved"));
  const going = open.data?.pages.flatMap((page) => page.items);
  const over = resolved.data?.pages.flatMap((page) => page.items);
  const failed = [open, resolved].find((query) => query.error && !query.data);
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const none = going?.length === 0 && over?.length === 0;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Incidents</h1>
        <p className="muted">What Alertmanager told of, and the crashes that happened meanwhile</p>
      </div>
      {!going || !over ? (
        <Skeleton what="incidents" lines={8} />
      ) : none ? (
        <NotConnected />
      ) : (
        <>
          <Part name="Open" incidents={going} query={open} none="No incident is open." />
          <Part name="Resolved" incidents={over} query={resolved} none="No incident is over yet." />
          <details className="twin">
            <summary>How Alertmanager is connected</summary>
            <HowToConnect />
          </details>
        </>
      )}
    </div>
  );
}

interface PartProps {
  name: "Open" | "Resolved";
  incidents: readonly Incident[];
  query: Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;
  none: string;
}

function Part({ name, incidents, query, none }: PartProps) {
  const id = name.toLowerCase();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {name}
        {incidents.length > 0 && <span className="h-note">newest first</span>}
      </h2>
      {incidents.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <IncidentTable incidents={incidents} caption={`${name} incidents, newest first`} />
      )}
      <More query={query} what={`${id} incidents`} />
    </section>
  );
}

/** Nobody has told of one yet: how to have that. */
function NotConnected() {
  return (
    <section className="narrow-page" aria-labelledby="connect">
      <h2 id="connect">No incident has been told of yet</h2>
      <p>
        Alertmanager can tell of each alert that it sends. Panicle makes incidents of them, and links the
        crashes of the services and hosts that they name.
      </p>
      <HowToConnect />
    </section>
  );
}
