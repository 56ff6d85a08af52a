// What an alert manager said of an incident, for people.
import type { Incident, IncidentAlert, IncidentCrash, IncidentState } from "../api/types";
import { duration } from "./format";

export const INCIDENT_STATE_WORDS: Record<IncidentState, string> = {
  open: "Open",
  resolved: "Resolved",
};

type Named = [name: string, value: string];

/** What says most stands first. */
const FIRST = ["alertname", "severity"];
/** Annotations that are sentences, in the order in which they are read. */
const SENTENCES = ["summary", "description", "message"];
const RUNBOOKS = ["runbook_url", "runbook"];
/** The title that the server gives to alerts that share no name. */
const UNNAMED = "Alerts";
const NAMED = 3;
/** An open incident that nobody has repeated for so long takes no more crashes, as docs/hooks.md says. */
const SILENCE = 24 * 3_600_000;

/** Labels, those that say most first. */
export function labelsInOrder(labels: Record<string, string>): Named[] {
  const rank = ([name]: Named) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return Object.entries(labels).toSorted(
    (a, b) => rank(a) - rank(b) || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0),
  );
}

/** The title; of alerts that share no name, the labels that they share. */
export function incidentHeadline({ title, labels }: Pick<Incident, "title" | "labels">): string {
  if (title !== UNNAMED) return title;
  const shared = labelsInOrder(labels).slice(0, NAMED);
  return shared.length === 0
    ? title
    : `${title} of ${shared.map(([name, value]) => `${name} ${value}`).join(", ")}`;
}

/** The address when it leads to a page: labels and annotations are texts of others, and may be anything. */
export function webAddress(text: string | null | undefined): string | null {
  const address = text?.trim() ?? "";
  if (!/^https?:\/\/\S+$/i.test(address)) return null;
  try {
    return new URL(address).href;
  } catch {
    return null;
  }
}

export interface Said {
  /** Sentences, without those that were read already. */
  sentences: string[];
  /** What to do, when it is an address. */
  runbook: string | null;
  /** All other annotations. */
  others: Named[];
}

/** What annotations say that was not `read` before. */
export function said(annotations: Record<string, string>, read: readonly string[]): Said {
  const known = new Set(read.map((text) => text.trim()));
  const sentences: string[] = [];
  for (const name of SENTENCES) {
    const text = annotations[name]?.trim() ?? "";
    if (text === "" || known.has(text)) continue;
    known.add(text);
    sentences.push(text);
  }
  const book = RUNBOOKS.find((name) => webAddress(annotations[name]) !== null);
  const others = Object.entries(annotations).filter(
    ([name, value]) => !SENTENCES.includes(name) && name !== book && value.trim() !== "",
  );
  return { sentences, runbook: book === undefined ? null : webAddress(annotations[book]), others };
}

/** What is an alert's own, and not said of all of them. */
export function own(texts: Record<string, string>, common: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([name, value]) => common[name] !== value));
}

/** How long it was from beginning to end; null while it is not over. */
export function lasted({ starts_at, ends_at }: Pick<IncidentAlert, "starts_at" | "ends_at">): string | null {
  if (ends_at == null) return null;
  const seconds = (Date.parse(ends_at) - Date.parse(starts_at)) / 1_000;
  return seconds < 1 ? "less than a second" : duration(Math.floor(seconds));
}

/** Nobody has repeated it for so long that crashes are no longer linked. */
export function isSilent(
  { state, updated_at }: Pick<Incident, "state" | "updated_at">,
  now: number,
): boolean {
  return state === "open" && now - Date.parse(updated_at) > SILENCE;
}

/** The groups of crashes with how many of them each has, the one with most first. */
export function groupsOf(crashes: readonly IncidentCrash[]): { id: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { crash } of crashes) {
    if (crash.group_id != null) counts.set(crash.group_id, (counts.get(crash.group_id) ?? 0) + 1);
  }
  return [...counts].map(([id, count]) => ({ id, count })).toSorted((a, b) => b.count - a.count);
}
