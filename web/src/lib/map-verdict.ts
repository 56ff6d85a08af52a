// The map that a verdict is about, and the other party.
import type { GoMap, MapRoot, MapUser, Report } from "../api/types";

/** The map of the verdict as the report describes it. */
export function mapOfVerdict({ verdict, maps }: Pick<Report, "verdict" | "maps">): GoMap | null {
  const listed = maps ?? [];
  const nil = (map: GoMap) => map.state === "nil";
  const here = (map: GoMap) =>
    [...map.users, ...map.roots].some(({ goroutine }) => goroutine === verdict.goroutine);
  if (verdict.class === "nil-map-write") {
    return listed.find((map) => nil(map) && here(map)) ?? listed.find(nil) ?? null;
  }
  return listed.find((map) => !nil(map) && map.address === verdict.map) ?? null;
}

export interface Parties {
  /** The one that noticed, then those that the verdict takes for the other party. */
  clashing: MapUser[];
  /** Others that were at it, in operations that do not clash. */
  beside: MapUser[];
}

/** Who was at the map, as the verdict sees it. A party is as sure as that the map is the one in question. */
export function partiesOf({ verdict }: Pick<Report, "verdict">, map: GoMap): Parties {
  const noticed = map.users.filter((user) => user.noticed);
  const sure = noticed.every((user) => user.certain);
  const others = map.users
    .filter((user) => !user.noticed)
    .map((user) => ({ ...user, certain: user.certain && sure }));
  const clashes = ({ goroutine }: MapUser) => verdict.other_goroutines.includes(goroutine);
  return {
    clashing: [...noticed, ...others.filter(clashes)],
    beside: others.filter((user) => !clashes(user)),
  };
}

const CONCURRENT = "concurrent-map-";
/** Evidence that says why nobody is named. */
const OTHER_PARTY = "other-party";

export interface UnnamedOther {
  /** Why nobody is named, one sentence each. */
  reasons: string[];
  /** Where others hold it. */
  holders: MapRoot[];
}

/** Null where the other party of a conflict is named, or where there was no conflict. */
export function unnamedOther(report: Pick<Report, "verdict">, map: GoMap): UnnamedOther | null {
  const { verdict } = report;
  if (!verdict.class.startsWith(CONCURRENT)) return null;
  if (partiesOf(report, map).clashing.some((user) => !user.noticed)) return null;
  const noticed = map.users.find((user) => user.noticed)?.goroutine ?? verdict.goroutine;
  return {
    reasons: verdict.evidence.filter(({ kind }) => kind === OTHER_PARTY).map(({ text }) => text),
    holders: map.roots.filter(({ goroutine }) => goroutine != null && goroutine !== noticed),
  };
}
