// A crash as plain text, to be pasted into an incident.
import type { Crash, Goroutine, GoroutineCluster, Report } from "../api/types";
import { counted, duration } from "./format";
import { ownerOf, position, tellingFrame } from "./frames";
import { absoluteTime } from "./format";
import { mapOfVerdict, partiesOf, unnamedOther } from "./map-verdict";
import { OPERATION_WORDS, entriesWords, mapName, typeWords } from "./map-words";
import { CONFIDENCE_WORDS, stateWords } from "./words";

const CLUSTERS_SHOWN = 5;

export function incidentText(crash: Crash, report: Report, url: string): string {
  const { verdict } = report;
  const facts = [
    crash.service && `service ${crash.service}`,
    crash.hostname && `host ${crash.hostname}`,
    report.binary?.go_version,
    `received ${absoluteTime(crash.received_at)}`,
  ];
  const sections = [
    [verdict.title, url, facts.filter(Boolean).join(" · ")],
    [`${CONFIDENCE_WORDS[verdict.confidence].label}. ${verdict.summary}`],
    mapLines(report),
    verdict.evidence.map((item) => `- ${item.text}${item.ref ? ` [${item.ref}]` : ""}`),
    panicLines(report),
    stackLines(report),
    clusterLines(report),
    listed("What would mend it", verdict.fixes),
    verdict.example == null
      ? []
      : [
          "For example:",
          ...verdict.example
            .trimEnd()
            .split("\n")
            .map((line) => `    ${line}`),
        ],
    listed("Hints, which are no verdict", verdict.hints),
    listed(
      "Missing or doubtful",
      report.diagnostics.filter((item) => item.severity !== "info").map((item) => item.text),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `- ${line}`)];
}

/** Which map, and who was at it. */
function mapLines(report: Report): string[] {
  const map = mapOfVerdict(report);
  if (map === null) return [];
  const { clashing } = partiesOf(report, map);
  const size = map.state === "nil" ? "nil" : entriesWords(map.count);
  return [
    `Map ${mapName(map)}, ${typeWords(map)}, ${size}:`,
    ...clashing.map(
      (user) =>
        `- goroutine ${user.goroutine}${user.noticed ? ", which noticed," : ""} was ${OPERATION_WORDS[user.operation]} in ${user.caller ?? user.function} (${user.certain ? "certain" : "likely"})`,
    ),
    ...(unnamedOther(report, map)?.reasons ?? []).map((reason) => `- ${reason}`),
  ];
}

function panicLines({ panic }: Report): string[] {
  if (panic == null) return [];
  return panic.message == null ? [] : [panic.message];
}

function stackLines(report: Report): string[] {
  const goroutine = atFault(report);
  if (!goroutine) return [];
  const lines = goroutine.frames.flatMap((frame) => {
    const mark = ownerOf(frame, report.binary?.module) === "app" ? ">" : " ";
    return [
      `${mark} ${frame.function}(${frame.args ?? "?"})`,
      `      ${frame.file ?? "unknown file"}${frame.line == null ? "" : `:${frame.line}`}`,
    ];
  });
  return [`Goroutine ${goroutine.id} [${stateWords(goroutine)}], ${partOf(report)}:`, ...lines];
}

function clusterLines(report: Report): string[] {
  const rest = report.goroutine_clusters;
  if (rest.length === 0) return [];
  const lines = rest.slice(0, CLUSTERS_SHOWN).map((cluster) => clusterLine(cluster, report.binary?.module));
  const hidden = rest.length - lines.length;
  return [
    `${counted(report.goroutine_count, "goroutine")} on ${counted(rest.length, "different stack")}:`,
    ...lines,
    ...(hidden > 0 ? [`  and ${counted(hidden, "more stack")}`] : []),
  ];
}

function clusterLine(cluster: GoroutineCluster, module: string | null | undefined): string {
  const frame = tellingFrame(cluster.frames, module);
  const where = frame ? `${frame.function} (${position(frame) ?? "unknown position"})` : "no frames";
  const waited = cluster.max_wait_seconds == null ? "" : `, up to ${duration(cluster.max_wait_seconds)}`;
  return `  ${cluster.count} × [${stateWords(cluster)}${waited}] ${where}`;
}

/** What the goroutine of the verdict has to do with it: in a deadlock nobody is at fault. */
export function partOf({ verdict }: Pick<Report, "verdict">): string {
  return verdict.class === "deadlock" ? "waits for another one" : "at fault";
}

/** The goroutine that the verdict names, as far as the report lists it. */
export function atFault(report: Report): Goroutine | undefined {
  const { goroutine } = report.verdict;
  return goroutine == null ? undefined : report.goroutines.find(({ id }) => id === goroutine);
}
