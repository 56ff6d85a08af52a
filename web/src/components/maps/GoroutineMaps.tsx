import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { mapsQuery } from "../../api/queries";
import type { GoMap } from "../../api/types";
import { count, counted } from "../../lib/format";
import { OPERATION_WORDS, bestPath, entriesWords, rootWords } from "../../lib/map-words";
import { InlineFailure } from "../Failure";
import { MapLink, MapStateMark } from "./marks";

const SHOWN = 6;

/** The maps that a goroutine is at, or holds. */
export function GoroutineMaps({ crash, goroutine }: { crash: string; goroutine: number }) {
  const query = useInfiniteQuery(mapsQuery(crash, { goroutine }));
  const first = query.data?.pages[0];
  const found = [...(first?.items ?? [])].sort((a, b) => rank(a, goroutine) - rank(b, goroutine));
  const hidden = (first?.matched ?? 0) - Math.min(SHOWN, found.length);
  return (
    <section aria-labelledby="its-maps">
      <h2 id="its-maps">Maps</h2>
      {query.error && !first ? (
        <InlineFailure error={query.error} />
      ) : !first ? (
        <p className="muted" role="status">
          Looking for its maps…
        </p>
      ) : found.length === 0 ? (
        <p className="muted">It uses and holds none that was found.</p>
      ) : (
        <ul className="its-maps">
          {found.slice(0, SHOWN).map((map, index) => (
            <li key={`${map.address}-${index}`}>
              <MapLink map={map} crash={crash} name={ownName(map, goroutine)} />{" "}
              <MapStateMark state={map.state} />
              <div className="muted small">{relation(map, goroutine)}</div>
            </li>
          ))}
        </ul>
      )}
      {hidden > 0 && (
        <p className="small">
          <Link to="/crashes/$id/maps" params={{ id: crash }} search={{ goroutine }}>
            {count(hidden)} more
          </Link>
        </p>
      )}
    </section>
  );
}

/** What the goroutine itself calls it. */
function ownName(map: GoMap, goroutine: number): string | null {
  const own = map.roots.filter((root) => root.goroutine === goroutine);
  return bestPath({ ...map, roots: own }) ?? bestPath(map);
}

function rank(map: GoMap, goroutine: number): number {
  return map.users.some((user) => user.goroutine === goroutine) ? 0 : 1;
}

/** What it has to do with it, in words. */
function relation(map: GoMap, goroutine: number): string {
  const uses = map.users.filter((user) => user.goroutine === goroutine);
  const holds = map.roots.filter((root) => root.goroutine === goroutine);
  const parts = [
    map.state === "nil" ? "" : entriesWords(map.count),
    ...uses.map((user) => `${OPERATION_WORDS[user.operation]} it, ${user.certain ? "certain" : "likely"}`),
  ];
  const [one] = holds;
  if (one !== undefined) {
    const where = one.frame == null ? "" : ` of frame ${one.frame}`;
    parts.push(
      holds.length === 1
        ? `held in ${rootWords(one.kind)}${where}`
        : `held in ${counted(holds.length, "place")}`,
    );
  }
  return parts.filter(Boolean).join("; ");
}
