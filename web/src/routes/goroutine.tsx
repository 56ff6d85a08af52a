import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { crashQuery, goroutineQuery, reportQuery } from "../api/queries";
import type { Goroutine } from "../api/types";
import { ExpressionBox } from "../components/expressions/ExpressionBox";
import { GoroutineMaps } from "../components/maps/GoroutineMaps";
import { Copyable } from "../components/Copy";
import { CreatedBy } from "../components/CreatedBy";
import { Fact, Facts } from "../components/Facts";
import { Prose } from "../components/Code";
import { Failure, NotFound } from "../components/Failure";
import { Skeleton } from "../components/Skeleton";
import { Stack } from "../components/Stack";
import { duration } from "../lib/format";
import { tellingFrame } from "../lib/frames";
import { partOf } from "../lib/incident";
import { useTitle } from "../lib/hooks";
import { stateWords } from "../lib/words";

const route = getRouteApi("/crashes/$id/goroutines/$gid");

export default function GoroutinePage() {
  const { id, gid } = route.useParams();
  const number = /^\d+$/.test(gid) ? Number(gid) : null;
  if (number === null) return <NotFound what="goroutine" />;
  return <Page id={id} gid={number} />;
}

function Page({ id, gid }: { id: string; gid: number }) {
  const crash = useQuery(crashQuery(id));
  const report = useQuery({
    ...reportQuery(id, crash.data?.analysed_at),
    enabled: crash.data?.has_report ?? false,
  });
  const query = useQuery(goroutineQuery(id, gid));
  const goroutine = query.data;
  useTitle(`Goroutine ${gid}${crash.data?.title ? `: ${crash.data.title}` : ""}`);
  if (!goroutine) {
    if (query.error)
      return <Failure error={query.error} what="goroutine" retry={() => void query.refetch()} />;
    return (
      <div className="page">
        <Skeleton what="the goroutine" lines={10} />
      </div>
    );
  }
  const fault = report.data?.verdict.goroutine === gid;
  const module = report.data?.binary?.module;
  // Only a core holds memory that can be asked.
  const core = report.data?.source.core != null;
  return (
    <div className="page">
      <header className="page-title">
        <p className="eyebrow">
          <Link to="/">Groups</Link> <span aria-hidden="true">/</span>{" "}
          <Link to="/crashes/$id" params={{ id }}>
            <Prose text={crash.data?.title ?? "Crash"} />
          </Link>{" "}
          <span aria-hidden="true">/</span>{" "}
          <Link to="/crashes/$id/goroutines" params={{ id }}>
            Goroutines
          </Link>
        </p>
        <h1>
          Goroutine {gid}
          {fault && report.data && <span className="h-note bad">{partOf(report.data)}</span>}
        </h1>
        <p className="lead">{stateWords(goroutine)}</p>
      </header>
      <div className="with-aside">
        <Body key={gid} goroutine={goroutine} module={module} crash={id} core={core} />
        <aside aria-label="About this goroutine">
          {core && <GoroutineMaps crash={id} goroutine={gid} />}
          <GoroutineFacts goroutine={goroutine} crash={id} />
        </aside>
      </div>
    </div>
  );
}

interface BodyProps {
  goroutine: Goroutine;
  module: string | null | undefined;
  crash: string;
  core: boolean;
}

function Body({ goroutine, module, crash, core }: BodyProps) {
  const { frame: wanted, expr } = route.useSearch();
  const navigate = useNavigate({ from: "/crashes/$id/goroutines/$gid" });
  const input = useRef<HTMLInputElement>(null);
  const { frames } = goroutine;
  const telling = tellingFrame(frames, module);
  const frame =
    wanted !== undefined && wanted < frames.length
      ? wanted
      : Math.max(0, telling ? frames.indexOf(telling) : 0);
  const canAsk = core && frames.length > 0;
  const ask = (at: number, asked: string | undefined) =>
    void navigate({ search: { frame: at, expr: asked }, hash: true, resetScroll: false });
  return (
    <div>
      {canAsk && (
        <ExpressionBox
          crash={crash}
          goroutine={goroutine.id}
          frames={frames}
          frame={frame}
          expr={expr}
          input={input}
          onAsk={ask}
        />
      )}
      <section aria-labelledby="stack">
        <h2 id="stack">Stack</h2>
        <Stack
          goroutine={goroutine}
          module={module}
          crash={crash}
          {...(canAsk && {
            onEvaluate: (at: number) => {
              ask(at, undefined);
              input.current?.focus();
            },
          })}
        />
      </section>
    </div>
  );
}

function GoroutineFacts({ goroutine, crash }: { goroutine: Goroutine; crash: string }) {
  const labels = Object.entries(goroutine.labels);
  const { waiting_on: on, stack } = goroutine;
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <Facts>
        <Fact name="State">{stateWords(goroutine)}</Fact>
        {goroutine.wait_reason != null && (
          <Fact name="Waits for" why="no garbage collection has run since the wait began">
            {goroutine.wait_seconds != null && duration(goroutine.wait_seconds)}
          </Fact>
        )}
        {on != null && (
          <Fact name="Waits on">
            {on.direction == null ? on.kind : `${on.kind}, to ${on.direction}`}{" "}
            {on.address != null && <Copyable value={on.address} what="the address" />}
          </Fact>
        )}
        {goroutine.leaked != null && (
          <Fact name="Leaked">
            {goroutine.leaked === "proven" ? "yes: nothing reachable can wake it" : "suspected"}
          </Fact>
        )}
        <Fact name="Thread">
          {goroutine.thread == null ? "none: it is not running" : <code>{goroutine.thread}</code>}
        </Fact>
        {goroutine.locked_to_thread && <Fact name="Locked">to its thread</Fact>}
        {goroutine.system && <Fact name="Owner">the runtime itself</Fact>}
        <Fact name="Created by" why="the runtime made it, or did not record who did">
          {goroutine.created_by != null && <CreatedBy createdBy={goroutine.created_by} crash={crash} />}
        </Fact>
        <Fact name="Labels">
          {labels.length === 0
            ? "none"
            : labels.map(([name, value]) => (
                <code key={name} className="label">
                  {name}={value}
                </code>
              ))}
        </Fact>
        <Fact name="Address" why="read from text, which does not tell it">
          {goroutine.address && <Copyable value={goroutine.address} what="the goroutine's address" />}
        </Fact>
        <Fact name="Stack" why="read from text, which does not tell it">
          {stack && (
            <code>
              {stack.lo} to {stack.hi}
            </code>
          )}
        </Fact>
      </Facts>
    </section>
  );
}
