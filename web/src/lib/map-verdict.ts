// The map that a verdict is about, and the other party.
import type { GoMap, MapRoot, Report } from "../api/types";

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

const CONCURRENT = "concurrent-map-";

export interface UnnamedOther {
  /** Why nobody is named, one sentence each. */
  reasons: string[];
  /** Where others hold it. */
  holders: MapRoot[];
}

/** Null where the other party of a conflict is named, or where there was no conflict. */
export function unnamedOther({ verdict }: Pick<Report, "verdict">, map: GoMap): UnnamedOther | null {
  if (!verdict.class.startsWith(CONCURRENT)) return null;
  const noticed = map.users.find((user) => user.noticed)?.goroutine ?? verdict.goroutine;
  if (map.users.some(({ goroutine }) => goroutine !== noticed)) return null;
  return {
    reasons: verdict.evidence.filter(({ kind }) => kind === "other-party").map(({ text }) => text),
    holders: map.roots.filter(({ goroutine }) => goroutine != null && goroutine !== noticed),
  };
}
