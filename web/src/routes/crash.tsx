import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { crashQuery, reportQuery } from "../api/queries";
import type { Crash, Report } from "../api/types";
import { Clusters } from "../components/Clusters";
import { Prose } from "../components/Code";
import { CopyButton } from "../components/Copy";
import { CrashState, Again } from "../components/crash/CrashState";
import { Diagnostics } from "../components/crash/Diagnostics";
import { EvidenceList } from "../components/crash/EvidenceList";
import { ItsGroup } from "../components/crash/ItsGroup";
import { PanicSection } from "../components/crash/PanicSection";
import { BinaryFacts, ProcessFacts } from "../components/crash/ProcessFacts";
import { Races } from "../components/crash/Races";
import { Threads } from "../components/crash/Threads";
import { Hints, Remedies, VerdictSection } from "../components/crash/VerdictSection";
import { Failure } from "../components/Failure";
import { During } from "../components/incidents/During";
import { MapCard } from "../components/maps/MapCard";
import { ClassMark, ConfidenceMark, StatusMark } from "../components/marks";
import { Skeleton } from "../components/Skeleton";
import { Stack } from "../components/Stack";
import { Time } from "../components/Time";
import { Unknown } from "../components/Unknown";
import { announce } from "../lib/announce";
import { counted } from "../lib/format";
import { isRuntimeOnly } from "../lib/frames";
import { useTitle } from "../lib/hooks";
import { atFault, incidentText, partOf } from "../lib/incident";
import { crashHeadline } from "../lib/titles";
import { STATUS_WORDS, stateWords } from "../lib/words";

const route = getRouteApi("/crashes/$id");
const CLUSTERS_SHOWN = 8;

export default function CrashPage() {
  const { id } = route.useParams();
  const query = useQuery(crashQuery(id));
  const crash = query.data;
  useTitle(crash ? crashHeadline(crash) : "Crash");
  useAnnouncedStatus(crash);
  const reportOptions = reportQuery(id, crash?.analysed_at);
  const report = useQuery({ ...reportOptions, enabled: crash?.has_report ?? false });
  if (!crash) {
    if (query.error) return <Failure error={query.error} what="crash" retry={() => void query.refetch()} />;
    return <Loading />;
  }
  if (report.error) return <Failure error={report.error} retry={() => void report.refetch()} />;
  if (crash.has_report && report.data === undefined) return <Loading />;
  const found = report.data ?? null;
  return (
    <div className="page crash">
      <CrashHead crash={crash} report={found} />
      <CrashState crash={crash} />
      {found ? (
        <Body crash={crash} report={found} />
      ) : (
        <>
          {crash.diagnostics.length > 0 && (
            <Diagnostics diagnostics={crash.diagnostics} crash={crash.id} shown={null} />
          )}
          <EvidenceList evidence={crash.evidence} />
        </>
      )}
    </div>
  );
}

function Loading() {
  return (
    <div className="page">
      <Skeleton what="the crash" lines={12} />
    </div>
  );
}

function useAnnouncedStatus(crash: Crash | undefined) {
  const status = crash?.status;
  const title = crash?.title;
  const before = useRef(status);
  useEffect(() => {
    if (before.current !== undefined && status !== undefined && before.current !== status) {
      announce(status === "done" && title ? `Analysed: ${title}.` : `${STATUS_WORDS[status]}.`);
    }
    before.current = status;
  }, [status, title]);
}

function CrashHead({ crash, report }: { crash: Crash; report: Report | null }) {
  const waits = crash.status === "waiting-for-binary";
  const doubts = report?.diagnostics.filter((item) => item.severity !== "info").length ?? 0;
  return (
    <header className="page-title verdict">
      <p className="eyebrow">
        <Link to="/">Groups</Link> <span aria-hidden="true">/</span>{" "}
        {crash.group_id != null && (
          <>
            <Link to="/groups/$id" params={{ id: crash.group_id }}>
              Its group
            </Link>{" "}
            <span aria-hidden="true">/</span>{" "}
          </>
        )}
        {crash.class == null || waits ? <span>Crash</span> : <ClassMark slug={crash.class} />}
        {crash.status !== "done" && <StatusMark status={crash.status} />}
      </p>
      <h1>
        {waits ? (
          "The binary that crashed is missing"
        ) : (
          <Prose text={report?.verdict.title ?? crashHeadline(crash)} />
        )}
      </h1>
      <p className="context">
        {crash.service ?? (
          <>
            service <Unknown />
          </>
        )}
        {crash.hostname != null && <> on {crash.hostname}</>}
        {crash.go_version != null && <>, {crash.go_version}</>}, received <Time at={crash.received_at} />
      </p>
      {!report && <During incidents={crash.incidents} />}
      {report && !waits && (
        <>
          <p className="lead">
            <Prose text={report.verdict.summary} />
          </p>
          <p className="verdict-line">
            <ConfidenceMark confidence={report.verdict.confidence} />
            {report.verdict.goroutine != null && (
              <Link to="." search={true} hash="stack" className="at-fault">
                Goroutine {report.verdict.goroutine} {partOf(report)}
              </Link>
            )}
            {doubts > 0 && (
              <Link to="." search={true} hash="diagnostics" className="doubts">
                {counted(doubts, "thing is", "things are")} missing or doubtful
              </Link>
            )}
          </p>
        </>
      )}
      <div className="actions">
        {report && !waits && (
          <CopyButton
            primary
            label="Copy for the incident"
            what="the crash as text"
            text={() => incidentText(crash, report, pageUrl())}
          />
        )}
        <CopyButton label="Copy link" what="the link" icon="link" text={pageUrl} />
        {crash.status === "done" && <Again crash={crash} />}
      </div>
    </header>
  );
}

function pageUrl(): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname}`;
}

function Body({ crash, report }: { crash: Crash; report: Report }) {
  const goroutine = atFault(report);
  // With the binary missing, that is why anything is unknown.
  const reason = crash.missing == null ? {} : { why: "it takes the binary to read it" };
  // Where nobody is at fault, what all of them do is the answer.
  const together = goroutine === undefined && report.goroutine_count > 0;
  const all = <AllGoroutines crash={crash} report={report} {...reason} />;
  return (
    <div className="with-aside">
      <div>
        <MapCard crash={crash} report={report} />
        <During incidents={crash.incidents} />
        <VerdictSection crash={crash} report={report} />
        <Hints report={report} />
        <Races report={report} />
        <PanicSection report={report} {...reason} />
        {together ? all : <AtFault crash={crash} report={report} {...reason} />}
        <Remedies report={report} />
        {!together && all}
        <ItsGroup crash={crash} report={report} />
        <MapsFound crash={crash} report={report} />
        <Threads report={report} crash={crash.id} />
        <Diagnostics diagnostics={report.diagnostics} crash={crash.id} shown={report.verdict.goroutine} />
      </div>
      <aside aria-label="Facts">
        <ProcessFacts crash={crash} report={report} />
        <BinaryFacts report={report} />
        <EvidenceList evidence={crash.evidence} />
      </aside>
    </div>
  );
}

interface PartProps {
  crash: Crash;
  report: Report;
  /** Why it is unknown, where that has one reason. */
  why?: string;
}

function AtFault({ crash, report, why }: PartProps) {
  const goroutine = atFault(report);
  return (
    <section aria-labelledby="stack">
      <h2 id="stack">
        {goroutine ? `Goroutine ${goroutine.id}, ${partOf(report)}` : "The goroutine at fault"}
        {goroutine && <span className="h-note">{stateWords(goroutine)}</span>}
      </h2>
      {goroutine ? (
        <>
          <Stack goroutine={goroutine} module={report.binary?.module} crash={crash.id} />
          <p>
            <Link to="/crashes/$id/goroutines/$gid" params={{ id: crash.id, gid: String(goroutine.id) }}>
              Everything about goroutine {goroutine.id}
            </Link>
          </p>
        </>
      ) : (
        <p>
          <Unknown why={why ?? "the verdict names none"} />
        </p>
      )}
    </section>
  );
}

function AllGoroutines({ crash, report, why }: PartProps) {
  const rest = report.goroutine_clusters;
  const own = rest.filter((cluster) => !isRuntimeOnly(cluster.frames));
  const ofRuntime = rest
    .filter((cluster) => isRuntimeOnly(cluster.frames))
    .reduce((sum, cluster) => sum + cluster.count, 0);
  const hidden = Math.max(0, own.length - CLUSTERS_SHOWN);
  const left = [
    hidden > 0 && counted(hidden, "more stack"),
    ofRuntime > 0 && `${counted(ofRuntime, "goroutine")} of the runtime itself`,
  ].filter(Boolean);
  return (
    <section aria-labelledby="others">
      <h2 id="others">
        All goroutines
        {report.goroutine_count > 0 && (
          <span className="h-note">
            {counted(report.goroutine_count, "goroutine")} on {counted(rest.length, "different stack")}
          </span>
        )}
      </h2>
      {rest.length === 0 ? (
        <p>
          <Unknown why={why ?? "no goroutine could be read"} />
        </p>
      ) : (
        <>
          <Clusters
            clusters={own.slice(0, CLUSTERS_SHOWN)}
            crash={crash.id}
            module={report.binary?.module}
            atFault={report.verdict.goroutine}
          />
          <p className="muted small clusters-rest">
            {left.length === 0 ? "That is all of them." : `${left.join(" and ")} not shown here.`}
          </p>
          <p>
            <Link to="/crashes/$id/goroutines" params={{ id: crash.id }} className="button">
              See and search all goroutines
            </Link>
          </p>
        </>
      )}
    </section>
  );
}

function MapsFound({ crash, report }: { crash: Crash; report: Report }) {
  const listed = report.maps?.length ?? 0;
  const found = listed + (report.maps_left_out ?? 0);
  return (
    <section aria-labelledby="maps">
      <h2 id="maps">
        All maps
        {found > 0 && <span className="h-note">{counted(found, "map")} in memory</span>}
      </h2>
      <p>
        <Link to="/crashes/$id/maps" params={{ id: crash.id }} className={found > 0 ? "button" : undefined}>
          {found > 0 ? "See and search all maps" : "None was found: see why"}
        </Link>
      </p>
    </section>
  );
}
