import { Link } from "@tanstack/react-router";
import type { Frame, GoroutineCluster } from "../api/types";
import { count, counted, duration } from "../lib/format";
import { position, tellingFrame } from "../lib/frames";
import { stateWords } from "../lib/words";
import { FunctionName } from "./Code";

interface ClustersProps {
  clusters: readonly GoroutineCluster[];
  crash: string;
  module: string | null | undefined;
  /** The goroutine whose cluster is marked. */
  atFault?: number | null | undefined;
  /** With the whole shared stack of each. */
  stacks?: boolean;
}

/** Goroutines that stand at the same place, as one line. */
export function Clusters({ clusters, crash, module, atFault, stacks = false }: ClustersProps) {
  const most = Math.max(1, ...clusters.map((cluster) => cluster.count));
  return (
    <ul className="clusters">
      {clusters.map((cluster) => (
        <li key={cluster.signature}>
          <div className="cluster-head">
            <Link
              to="/crashes/$id/goroutines"
              params={{ id: crash }}
              search={{ view: "table", cluster: cluster.signature }}
              className="cluster-count"
              aria-label={`${counted(cluster.count, "goroutine")}, list them`}
            >
              {count(cluster.count)}
            </Link>
            <meter className="cluster-bar" min={0} max={most} value={cluster.count} aria-hidden="true" />
            <div className="cluster-what">
              <Place cluster={cluster} module={module} />
              <span className="cluster-state">
                {stateWords(cluster)}
                <Waited cluster={cluster} />
              </span>
            </div>
          </div>
          <Examples cluster={cluster} crash={crash} atFault={atFault} />
          {stacks && <ClusterStack cluster={cluster} />}
        </li>
      ))}
    </ul>
  );
}

function Place({ cluster, module }: { cluster: GoroutineCluster; module: string | null | undefined }) {
  const frame = tellingFrame(cluster.frames, module);
  if (!frame) return <span className="unknown">no frame could be read</span>;
  return (
    <span className="cluster-place">
      <FunctionName name={frame.function} />{" "}
      <span className="position" title={frame.file ?? undefined}>
        {position(frame) ?? "position unknown"}
      </span>
    </span>
  );
}

function Waited({
  cluster: { min_wait_seconds: min, max_wait_seconds: max },
}: {
  cluster: GoroutineCluster;
}) {
  if (max == null) return null;
  return <span>, {min == null || min === max ? duration(max) : `${duration(min)} to ${duration(max)}`}</span>;
}

function Examples({
  cluster,
  crash,
  atFault,
}: {
  cluster: GoroutineCluster;
  crash: string;
  atFault: number | null | undefined;
}) {
  const hidden = cluster.count - cluster.example_ids.length;
  return (
    <p className="cluster-examples">
      <span className="muted">goroutine</span>{" "}
      {cluster.example_ids.map((id) => (
        <Link key={id} to="/crashes/$id/goroutines/$gid" params={{ id: crash, gid: String(id) }}>
          {id}
          {id === atFault && " (of the verdict)"}
        </Link>
      ))}
      {hidden > 0 && <span className="muted">and {count(hidden)} more</span>}
    </p>
  );
}

function ClusterStack({ cluster }: { cluster: GoroutineCluster }) {
  return (
    <details className="twin">
      <summary>Stack of {counted(cluster.frames.length, "frame")}</summary>
      <MiniStack frames={cluster.frames} />
    </details>
  );
}

/** Functions and their positions, innermost first. */
export function MiniStack({ frames }: { frames: readonly Frame[] }) {
  return (
    <ol className="mini-stack">
      {frames.map((frame, index) => (
        <li key={index} className={frame.kind === "runtime" ? "owner-runtime" : undefined}>
          <FunctionName name={frame.function} />{" "}
          <span className="position" title={frame.file ?? undefined}>
            {position(frame) ?? "position unknown"}
          </span>
        </li>
      ))}
    </ol>
  );
}
