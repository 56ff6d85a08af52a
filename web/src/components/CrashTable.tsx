import { Link } from "@tanstack/react-router";
import type { CrashSummary } from "../api/types";
import { classInfo } from "../lib/classes";
import { STATUS_WORDS } from "../lib/words";
import { Prose } from "./Code";
import { StatusMark } from "./marks";
import { Time } from "./Time";
import { Unknown } from "./Unknown";

/** Crashes, a line each. On a phone each is a card; the roles keep it a table for screen readers. */
export function CrashTable({ crashes, caption }: { crashes: readonly CrashSummary[]; caption: string }) {
  return (
    <table className="data cards crashes">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Crash</th>
          <th scope="col">Status</th>
          <th scope="col">Received</th>
          <th scope="col">Service and host</th>
          <th scope="col">Version</th>
        </tr>
      </thead>
      <tbody>
        {crashes.map((crash) => (
          <tr key={crash.id}>
            <th scope="row">
              <Link to="/crashes/$id" params={{ id: crash.id }}>
                <Prose text={crash.title ?? (crash.class ? classInfo(crash.class).label : "Not analysed yet")} />
              </Link>
              {crash.diagnostics.some((item) => item.severity !== "info") && crash.status === "done" && (
                <span className="partial"> in part: {crash.diagnostics.length} missing or doubtful</span>
              )}
            </th>
            <td>
              {crash.status === "done" ? (
                <span className="muted">{STATUS_WORDS.done}</span>
              ) : (
                <StatusMark status={crash.status} />
              )}
            </td>
            <td>
              <Time at={crash.received_at} />
            </td>
            <td>
              {crash.service ?? <Unknown />}
              {crash.hostname != null && <span className="muted"> on {crash.hostname}</span>}
            </td>
            <td>
              {crash.go_version ?? <Unknown />}
              {crash.module_version != null && crash.module_version !== "(devel)" && (
                <span className="muted">, {crash.module_version}</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
