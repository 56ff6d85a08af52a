// The header of a map, each field with what it means.
import type { GoMap, HmapHeader } from "../../api/types";
import { bytes, count } from "../../lib/format";
import { IMPLEMENTATION_WORDS, flagWords, headerFacts, headerKind } from "../../lib/map-words";
import { Copyable } from "../Copy";
import { Fact, Facts } from "../Facts";
import { breakable } from "../Code";

export function MapFacts({ map }: { map: GoMap }) {
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <Facts>
        <Fact name="Type" why="no table of types names it">
          {map.type != null && <code>{breakable(map.type)}</code>}
        </Fact>
        <Fact name="Built as" why="its binary does not tell">
          {map.implementation != null && IMPLEMENTATION_WORDS[map.implementation]}
        </Fact>
        <Fact name="Entries" why="its header could not be read">
          {map.count != null && count(map.count)}
        </Fact>
        <Fact name="Room" why="what is allocated could not be read">
          {map.room != null && `for ${count(map.room)}`}
        </Fact>
        <Fact name="Size" why="what is allocated could not be read">
          {map.size_bytes != null && bytes(map.size_bytes)}
        </Fact>
        <Fact name="Address">
          {map.state === "nil" ? (
            "none: it is nil"
          ) : (
            <Copyable value={map.address} what="the map's address" />
          )}
        </Fact>
        <Fact name="Type descriptor" why="no table of types names it">
          {map.type_address && <Copyable value={map.type_address} what="the address of its type" />}
        </Fact>
      </Facts>
    </section>
  );
}

export function Flags({ flags }: { flags: readonly string[] }) {
  return (
    <section aria-labelledby="flags">
      <h2 id="flags">Flags</h2>
      {flags.length === 0 ? (
        <p className="muted">None is set.</p>
      ) : (
        <dl className="facts flags">
          {flags.map((flag) => (
            <div key={flag}>
              <dt>
                <code>{flag}</code>
              </dt>
              <dd>{flagWords(flag)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

const HEADER_NAMES = { hmap: "runtime.hmap", swiss: "internal/runtime/maps.Map", "sync-map": "sync.Map" };

export function HeaderFacts({ map }: { map: GoMap }) {
  const kind = headerKind(map);
  if (kind === null) return null;
  return (
    <section aria-labelledby="header">
      <h2 id="header">
        Header <span className="h-note">{HEADER_NAMES[kind]}</span>
      </h2>
      {kind === "hmap" && <Growth header={map.header as HmapHeader} />}
      <dl className="facts header-facts">
        {headerFacts(map).map(({ name, value, meaning, address }) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              {value === null ? (
                <span className="unknown">unknown</span>
              ) : address ? (
                <Copyable value={value} what={name} />
              ) : (
                <span className="header-value">{value}</span>
              )}
              <span className="meaning">{meaning}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Growth({ header: { growth } }: { header: HmapHeader }) {
  if (growth == null) return null;
  const { old_buckets: old, evacuated } = growth;
  return (
    <div className="growth">
      <p id="growth">
        {count(evacuated)} of {count(old)} old buckets have moved, to{" "}
        {growth.same_size ? "as many fresh ones" : "twice as many"}
      </p>
      <progress max={Math.max(1, old)} value={evacuated} aria-labelledby="growth" />
    </div>
  );
}
