import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { ProblemError } from "../api/errors";
import { crashQuery, isBusy, mapQuery } from "../api/queries";
import type { MapDetails, SwissHeader } from "../api/types";
import { Prose, breakable } from "../components/Code";
import { Failure } from "../components/Failure";
import { Entries } from "../components/maps/Entries";
import { Flags, HeaderFacts, MapFacts } from "../components/maps/HeaderFacts";
import { Holders } from "../components/maps/Holders";
import { KeyLookup } from "../components/maps/KeyLookup";
import { Layout, rowWords } from "../components/maps/Layout";
import { MapStateMark } from "../components/maps/marks";
import { Parties } from "../components/maps/Parties";
import { Tables } from "../components/maps/Tables";
import { Skeleton } from "../components/Skeleton";
import { counted } from "../lib/format";
import { useTitle } from "../lib/hooks";
import type { MapSearch } from "../lib/map-search";
import { bestPath, headerKind, mapName, sizeWords, stateSentence, typeWords } from "../lib/map-words";

const route = getRouteApi("/crashes/$id/maps/$address");

/** One map: what it is, who was at it, what is in it and how that lies. */
export default function MapPage() {
  const { id, address } = route.useParams();
  const query = useQuery(mapQuery(id, address));
  const crash = useQuery(crashQuery(id));
  const found = query.data;
  const title = crash.data?.title;
  useTitle(`${found ? `Map ${mapName(found.map)}` : "Map"}${title ? `: ${title}` : ""}`);
  if (!found) {
    if (query.error) return <Failure error={query.error} what="map" retry={() => void query.refetch()} />;
    return (
      <div className="page">
        <Skeleton what="the map" lines={12} />
      </div>
    );
  }
  return (
    <div className="page map-page">
      <header className="page-title">
        <p className="eyebrow">
          <Link to="/">Groups</Link> <span aria-hidden="true">/</span>{" "}
          <Link to="/crashes/$id" params={{ id }}>
            <Prose text={title ?? "Crash"} />
          </Link>{" "}
          <span aria-hidden="true">/</span>{" "}
          <Link to="/crashes/$id/maps" params={{ id }}>
            Maps
          </Link>
        </p>
        <Heading details={found} />
      </header>
      <div className="with-aside">
        <Body key={address} id={id} details={found} />
        <aside aria-label="About this map">
          <MapFacts map={found.map} />
          {found.map.state !== "nil" && <Flags flags={found.map.flags} />}
          <HeaderFacts map={found.map} />
        </aside>
      </div>
    </div>
  );
}

function Heading({ details: { map } }: { details: MapDetails }) {
  const path = bestPath(map);
  return (
    <>
      <h1>
        Map <code>{breakable(path ?? typeWords(map))}</code>
      </h1>
      <p className="lead">
        {path !== null && (
          <>
            <code>{breakable(typeWords(map))}</code>
            {map.state === "nil" ? ". " : ": "}
          </>
        )}
        {map.state !== "nil" && `${sizeWords(map)}. `}
        {stateSentence(map)}
      </p>
      <p className="verdict-line">
        <MapStateMark state={map.state} />
      </p>
    </>
  );
}

function Body({ id, details }: { id: string; details: MapDetails }) {
  const { map, entries, layout, unavailable } = details;
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/crashes/$id/maps/$address" });
  const set = useCallback(
    (change: Partial<MapSearch>) =>
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
  // A busy server is asked again, part by part.
  const memory = unavailable == null || entries != null || isBusy(new ProblemError(unavailable));
  const kind = headerKind(map);
  return (
    <div>
      {map.problems.length > 0 && (
        <section aria-labelledby="problems">
          <h2 id="problems">What is wrong with it</h2>
          <ul className="problems">
            {map.problems.map((problem) => (
              <li key={problem} className="notice bad">
                <Prose text={problem} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="parties">
        <h2 id="parties">
          Who was at it
          {map.users.length > 0 && (
            <span className="h-note">goroutines inside an operation on it, the surest first</span>
          )}
        </h2>
        {map.users.length === 0 ? (
          <p className="muted">No goroutine was found inside an operation on it.</p>
        ) : (
          <Parties users={map.users} crash={id} conflict={map.state !== "nil"} />
        )}
      </section>
      <section aria-labelledby="holders">
        <h2 id="holders">
          Who holds it
          {map.roots.length > 0 && (
            <span className="h-note">{counted(map.roots.length + map.roots_left_out, "place")}</span>
          )}
        </h2>
        {map.roots.length === 0 ? (
          <p className="muted">No variable, field, stack or register was found that leads to it.</p>
        ) : (
          <Holders roots={map.roots} leftOut={map.roots_left_out} crash={id} />
        )}
      </section>
      {map.state !== "nil" && (
        <section aria-labelledby="entries">
          <h2 id="entries">Entries</h2>
          {memory ? (
            <>
              <KeyLookup
                map={map}
                crash={id}
                wanted={search.key}
                onLookUp={(key) => set({ key, from: undefined })}
              />
              <Entries map={map} crash={id} search={search} first={entries} set={set} />
            </>
          ) : (
            <NoMemory details={details} />
          )}
        </section>
      )}
      {memory && map.state !== "nil" && kind !== "sync-map" && (
        <section aria-labelledby="rows">
          <h2 id="rows">
            How they lie
            <span className="h-note">its {rowWords(map)}s, of eight slots each</span>
          </h2>
          <Layout map={map} crash={id} search={search} first={layout} set={set} />
        </section>
      )}
      {kind === "swiss" && <Tables header={map.header as SwissHeader} />}
    </div>
  );
}

/** What the report says stands; what only memory tells does not. */
function NoMemory({ details: { unavailable } }: { details: MapDetails }) {
  if (unavailable == null) return null;
  return (
    <p className="notice warn">
      <strong>{unavailable.title}.</strong> <Prose text={unavailable.detail} />
    </p>
  );
}
