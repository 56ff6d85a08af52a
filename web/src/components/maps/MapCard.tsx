// Which map, and who else: the answer under the verdict.
import { Link } from "@tanstack/react-router";
import type { Crash, GoMap, Report } from "../../api/types";
import { entriesWords, bestPath, stateSentence, typeWords } from "../../lib/map-words";
import { mapOfVerdict, partiesOf, unnamedOther } from "../../lib/map-verdict";
import { Prose, breakable } from "../Code";
import { Copyable } from "../Copy";
import { Holders } from "./Holders";
import { MapStateMark } from "./marks";
import { Parties } from "./Parties";

export function MapCard({ crash, report }: { crash: Crash; report: Report }) {
  const map = mapOfVerdict(report);
  const { verdict } = report;
  if (map === null) {
    if (verdict.map == null) return null;
    return (
      <section className="map-card" aria-labelledby="the-map">
        <h2 id="the-map">The map</h2>
        <p>
          It is at <Copyable value={verdict.map} what="the map's address" />. Nothing else about it could be
          read.
        </p>
      </section>
    );
  }
  const other = unnamedOther(report, map);
  const { clashing, beside } = partiesOf(report, map);
  return (
    <section className="map-card" aria-labelledby="the-map">
      <h2 id="the-map">
        The map <Name map={map} /> <MapStateMark state={map.state} />
      </h2>
      <p className="map-sentence">
        <InWords map={map} /> {SAID_BY_MARK.has(map.state) ? "" : stateSentence(map)}
      </p>
      {map.problems.length > 0 && (
        <p className="notice warn">
          <Prose text={map.problems.join(" ")} />
        </p>
      )}
      {clashing.length > 0 && <Parties users={clashing} crash={crash.id} conflict={map.state !== "nil"} />}
      {other !== null && (
        <div className="notice warn">
          <strong>The other goroutine is not named.</strong>{" "}
          <Prose
            text={other.reasons.join(" ") || "No other goroutine stands inside an operation on this map."}
          />
          {other.holders.length > 0 && (
            <>
              {" "}
              These hold it:
              <Holders roots={other.holders} leftOut={0} crash={crash.id} short />
            </>
          )}
        </div>
      )}
      {beside.length > 0 && (
        <>
          <h3>Also at it, in ways that do not clash</h3>
          <Parties users={beside} crash={crash.id} />
        </>
      )}
      {map.state === "nil" && map.roots.length > 0 && (
        <Holders roots={map.roots} leftOut={map.roots_left_out} crash={crash.id} short />
      )}
      {map.state !== "nil" && (
        <p className="map-more">
          <Link to="/crashes/$id/maps/$address" params={{ id: crash.id, address: map.address }}>
            Everything about this map: entries, buckets, who holds it
          </Link>
        </p>
      )}
    </section>
  );
}

/** States of which the mark beside the name says all. */
const SAID_BY_MARK: ReadonlySet<GoMap["state"]> = new Set(["writing", "normal"]);

function Name({ map }: { map: GoMap }) {
  const path = bestPath(map);
  return path === null ? null : <code>{breakable(path)}</code>;
}

function InWords({ map }: { map: GoMap }) {
  return (
    <>
      <code>{breakable(typeWords(map))}</code>
      {map.state === "nil" ? "." : <> with {entriesWords(map.count)}.</>}
    </>
  );
}
