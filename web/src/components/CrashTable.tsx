import { Link } from "@tanstack/react-router";
import type { CrashSummary } from "../api/types";
import { absoluteTime } from "../lib/format";
import { crashHeadline } from "../lib/titles";
import { STATUS_WORDS } from "../lib/words";
import { Prose } from "./Code";
import { StatusMark } from "./marks";
import { Time } from "./Time";
import { Unknown } from "./Unknown";

interface CrashTableProps {
  crashes: readonly CrashSummary[];
  caption: string;
  /** Those that are ticked; with it, each can be. */
  chosen?: ReadonlySet<string>;
  onChoose?: (id: string, on: boolean) => void;
  /** What is said below the title of each, by its id. */
  notes?: ReadonlyMap<string, string>;
}

/** Crashes, a line each. On a phone each is a card; the roles keep it a table for screen readers. */
export function CrashTable({ crashes, caption, chosen, onChoose, notes }: CrashTableProps) {
  return (
    <table role="table" className="data cards crashes">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {onChoose && (
            <th role="columnheader" scope="col">
              <span className="sr-only">Choose</span>
            </th>
          )}
          <th role="columnheader" scope="col">
            Crash
          </th>
          <th role="columnheader" scope="col">
            Status
          </th>
          <th role="columnheader" scope="col">
            Received
          </th>
          <th role="columnheader" scope="col">
            Service and host
          </th>
          <th role="columnheader" scope="col">
            Version
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {crashes.map((crash) => (
          <tr role="row" key={crash.id}>
            {onChoose && (
              <td role="cell" className="choose">
                <input
                  type="checkbox"
                  aria-label={`Choose the crash ${where(crash)}`}
                  checked={chosen?.has(crash.id) ?? false}
                  onChange={(event) => onChoose(crash.id, event.target.checked)}
                />
              </td>
            )}
            <th role="rowheader" scope="row">
              <Link to="/crashes/$id" params={{ id: crash.id }}>
                <Prose text={crashHeadline(crash)} />
              </Link>
              {crash.diagnostics.some((item) => item.severity !== "info") && crash.status === "done" && (
                <span className="partial"> in part: {crash.diagnostics.length} missing or doubtful</span>
              )}
              {notes?.has(crash.id) && <span className="crash-note">{notes.get(crash.id)}</span>}
            </th>
            <td role="cell">
              {crash.status === "done" ? (
                <span className="muted">{STATUS_WORDS.done}</span>
              ) : (
                <StatusMark status={crash.status} />
              )}
            </td>
            <td role="cell">
              <Time at={crash.received_at} />
            </td>
            <td role="cell">
              {crash.service ?? <Unknown />}
              {crash.hostname != null && <span className="muted"> on {crash.hostname}</span>}
            </td>
            <td role="cell">
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

/** What tells it from others of its group: where it crashed, and when. */
function where({ id, service, hostname, received_at: at }: CrashSummary): string {
  const place = [service, hostname].filter((part) => part != null).join(" on ");
  return `${place === "" ? id : `of ${place}`}, received ${absoluteTime(at)}`;
}
