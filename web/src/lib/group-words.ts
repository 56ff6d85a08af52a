// What people, and the passage of time, decided about a group, in words.
import type { GroupDetails, HistoryEntry, Mute, MuteUntil, ResolvedIn } from "../api/types";
import { absoluteTime, count, counted, shortId } from "./format";
import { STATE_WORDS } from "./words";

/** As it follows `resolved`: `in v1.4.2`. */
export function resolvedWords({ version, revision, build }: ResolvedIn): string {
  if (version != null) return `in ${version}`;
  if (revision != null) return `in revision ${shortId(revision)}`;
  if (build != null) return `in build ${shortId(build)}`;
  return "in whatever is built later";
}

/** As it follows `muted`: `until 10 more crashes have come, or until v1.5.0 crashes`. */
export function muteWords({ count: crashes, time, version, escalation }: MuteUntil): string {
  const ends = [
    crashes != null && `${counted(crashes, "more crash has", "more crashes have")} come`,
    time != null && absoluteTime(time),
    version != null && `${version} or newer crashes`,
    escalation != null &&
      (escalation.per_hour == null
        ? "it escalates"
        : `more than ${counted(escalation.per_hour, "crash comes", "crashes come")} within an hour`),
  ].filter((end) => end !== false);
  return ends.length === 0 ? "until somebody unmutes it" : `until ${ends.join(", or until ")}`;
}

/** How far a mute by count has come: `3 of 10 have come`. */
export function muteProgress({ until, crashes_at_start }: Mute, crashes: number): string | null {
  if (until.count == null) return null;
  const come = Math.max(0, crashes - crashes_at_start);
  return `${count(come)} of ${count(until.count)} ${come === 1 ? "has" : "have"} come so far`;
}

type Stateful = Pick<GroupDetails, "state" | "resolved" | "mute" | "state_reason">;

/** What the state of a group means for whoever looks at it now. */
export function stateSentence({ state, resolved, mute, state_reason: reason }: Stateful): string {
  const because = reason == null || reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`;
  switch (state) {
    case "new":
      return `New${because}. Nobody has said yet what is to become of it.`;
    case "ongoing":
      return `Known, and it goes on${because}.`;
    case "regressed":
      return `Regressed${because}.`;
    case "resolved":
      return `Resolved ${resolvedWords(resolved ?? {})}${because}. A crash of that or of something newer makes it regress; older ones are counted.`;
    case "muted":
      return `Muted ${muteWords(mute?.until ?? {})}${because}.`;
  }
}

const ACTIONS: Record<string, string> = {
  changed: "changed this group",
  regressed: "regressed",
  unmuted: "unmuted",
  muted: "muted",
  merge: "merged other groups into this one",
  merged: "merged this group into another one",
  unmerge: "parted groups from this one",
  unmerged: "parted this group from the one it was merged into",
  split: "split a part off",
  joined: "put a part back that was split off",
  parted: "split this group off another one",
  signature: "moved to a new version of the signature",
  moved: "moved all of its crashes to another group",
  inherited: "took over what was decided about another group",
  undone: "took a change back",
};

/** What was done, as it follows who did it. */
export function actionWords(action: string): string {
  return ACTIONS[action] ?? action.replaceAll("_", " ");
}

export interface Change {
  what: string;
  /** What it was before; null where it was not anything. */
  from: string | null;
  to: string | null;
  /** Ids of groups that it was about. */
  groups?: string[];
}

/** Fields with ids of groups. */
const GROUPS = ["groups", "into", "from"];
/** Fields that tell what it was about, and not what something was before. */
const ABOUT = [...GROUPS, "crashes", "fingerprints", "signatures"];

const FIELDS: Record<string, string> = {
  state: "State",
  owner: "Owner",
  notes: "Notes",
  resolved: "Resolved",
  mute: "Muted",
  keep_cores: "Full cores to keep",
  predicate: "Claims",
  enabled: "On",
  groups: "Groups",
  into: "Into",
  from: "From",
  crashes: "Crashes",
  fingerprints: "Variants",
  signatures: "Variants",
  fingerprint: "Fingerprint",
  signature_version: "Version of the signature",
};

/** What changed, field by field. */
export function changes({ from, to }: Pick<HistoryEntry, "from" | "to">): Change[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const rank = (name: string) => {
    const at = Object.keys(FIELDS).indexOf(name);
    return at < 0 ? 1_000 : at;
  };
  return names
    .toSorted((a, b) => rank(a) - rank(b))
    .map((name) => changeOf(name, from[name], to[name]))
    .filter((change) => change.from !== null || change.to !== null);
}

function changeOf(name: string, from: unknown, to: unknown): Change {
  const what = FIELDS[name] ?? name.replaceAll("_", " ");
  const [before, after] = [valueWords(name, from), valueWords(name, to)];
  if (!ABOUT.includes(name)) return { what, from: before, to: after };
  const about = { what, from: null, to: after ?? before };
  if (!GROUPS.includes(name)) return about;
  const ids = [to ?? from].flat().filter((id): id is string => typeof id === "string");
  return { ...about, groups: ids };
}

function valueWords(field: string, value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (field === "state" && typeof value === "string")
    return (STATE_WORDS as Partial<Record<string, string>>)[value] ?? value;
  if (field === "resolved") return resolvedWords((value as { in?: ResolvedIn }).in ?? {});
  if (field === "mute") return muteWords((value as { until?: MuteUntil }).until ?? {});
  if (typeof value === "string" && ["into", "from", "fingerprint"].includes(field)) return shortId(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return null;
    const ids = value.filter((one): one is string => typeof one === "string").map(shortId);
    return ids.length === value.length && ids.length <= 3 ? ids.join(", ") : count(value.length);
  }
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "changed";
}

/** Entries that the server takes back. */
export function canUndo({ action, undone_by: undone }: Pick<HistoryEntry, "action" | "undone_by">): boolean {
  return undone == null && !["signature", "parted", "joined"].includes(action);
}

/** A share of 1: `60 %`, `under 1 %`. */
export function shareWords(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 1) return "under 1 %";
  return `${Math.round(percent)} %`;
}
