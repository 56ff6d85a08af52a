import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { crashQuery, mapsQuery, reportQuery } from "../api/queries";
import type { Crash, Diagnostic, MapFacets, MapState, Report } from "../api/types";
import { Prose } from "../components/Code";
import { Failure, InlineFailure } from "../components/Failure";
import { Choice, Clear, Filters as FilterRow, SearchText } from "../components/filters";
import { MapTable } from "../components/maps/MapTable";
import { Reference } from "../components/Reference";
import { Skeleton } from "../components/Skeleton";
import { count, counted } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { type MapListSearch, mapsNarrowed } from "../lib/map-search";
import { MAP_STATE_WORDS } from "../lib/map-words";
import { STATUS_WORDS } from "../lib/words";

const route = getRouteApi("/crashes/$id/maps");

/** All maps of a crash that were found in its memory. */
export default function MapsPage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const crash = useQuery(crashQuery(id));
  const report = useQuery({
    ...reportQuery(id, crash.data?.analysed_at),
    enabled: crash.data?.has_report ?? false,
  });
  const query = useInfiniteQuery({ ...mapsQuery(id, search), enabled: crash.data?.has_report ?? false });
  const first = query.data?.pages[0];
  useTitle(crash.data?.title ? `Maps: ${crash.data.title}` : "Maps");
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  if (crash.error && !crash.data) {
    return <Failure error={crash.error} what="crash" retry={() => void crash.refetch()} />;
  }
  return (
    <div className="page">
      <header className="page-title">
        <p className="eyebrow">
          <Link to="/">Groups</Link> <span aria-hidden="true">/</span>{" "}
          <Link to="/crashes/$id" params={{ id }}>
            <Prose text={crash.data?.title ?? "Crash"} />
          </Link>
        </p>
        <h1>Maps</h1>
      </header>
      {crash.data && !crash.data.has_report ? (
        <NoReport crash={crash.data} />
      ) : query.error && !query.data ? (
        <InlineFailure error={query.error} />
      ) : !first ? (
        <Skeleton what="maps" lines={12} />
      ) : first.total === 0 ? (
        <NoMaps report={report.data} crash={id} />
      ) : (
        <>
          <Filters search={search} facets={first.facets} id={id} />
          <p className="result-count" role="status">
            {mapsNarrowed(search)
              ? `${count(first.matched)} of ${counted(first.total, "map")}`
              : counted(first.total, "map")}
            {first.left_out > 0 &&
              `; ${counted(first.left_out, "more was", "more were")} found and not listed`}
          </p>
          {first.matched === 0 ? (
            <p className="nothing">No map is like that.</p>
          ) : (
            <MapTable
              key={JSON.stringify(search)}
              crash={id}
              search={search}
              maps={query.data?.pages.flatMap((page) => page.items) ?? []}
              matched={first.matched}
              loadMore={loadMore}
            />
          )}
        </>
      )}
    </div>
  );
}

function NoReport({ crash }: { crash: Crash }) {
  return (
    <div className="state-panel waiting">
      <h2>{STATUS_WORDS[crash.status]}</h2>
      <p>
        Maps are found when the crash is analysed.{" "}
        <Link to="/crashes/$id" params={{ id: crash.id }}>
          See where it stands
        </Link>
        .
      </p>
    </div>
  );
}

/** Stages that say why memory, or types in it, could not be read. */
const TELLING: ReadonlySet<Diagnostic["stage"]> = new Set(["image", "binary", "layout", "values"]);

/** Why there are none: what is missing for it, as far as that is known. */
function NoMaps({ report, crash }: { report: Report | null | undefined; crash: string }) {
  const reasons = (report?.diagnostics ?? []).filter(
    ({ stage, severity }) => severity !== "info" && TELLING.has(stage),
  );
  const core = report == null || report.source.core != null;
  return (
    <div className="nothing no-maps">
      <p>
        <strong>No map was found in the memory of this crash.</strong>{" "}
        {!core && "There is no core among its evidence, and only a core holds memory."}
        {core && reasons.length === 0 && "Nothing that was needed to find them is missing."}
      </p>
      {reasons.length > 0 && (
        <>
          <p>What could not be read may hold some:</p>
          <ul className="evidence">
            {reasons.map((item, index) => (
              <li key={index}>
                <Prose text={item.text} />{" "}
                {item.ref != null && <Reference text={item.ref} crash={crash} shown={null} />}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

interface FiltersProps {
  search: MapListSearch;
  facets: MapFacets;
  id: string;
}

function Filters({ search, facets, id }: FiltersProps) {
  const navigate = useNavigate({ from: "/crashes/$id/maps" });
  const set = (change: Partial<MapListSearch>) =>
    void navigate({ params: { id }, search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <FilterRow set={mapsNarrowed(search)}>
      <SearchText
        label="Type"
        placeholder="Part of it, map[string]"
        value={search.type}
        onChange={(type) => set({ type })}
      />
      <Choice
        label="State"
        any="Any state"
        value={search.state}
        options={facets.state.map(({ value, count: maps }) => ({
          value,
          label: `${MAP_STATE_WORDS[value as MapState]} (${count(maps)})`,
        }))}
        onChange={(state) => set({ state: state as MapState | undefined })}
      />
      <Choice
        label="Flag"
        any="Any flags"
        value={search.flag}
        options={facets.flag.map(({ value, count: maps }) => ({ value, label: `${value} (${count(maps)})` }))}
        onChange={(flag) => set({ flag })}
      />
      <SearchText
        label="Goroutine"
        placeholder="Number"
        narrow
        value={search.goroutine === undefined ? undefined : String(search.goroutine)}
        onChange={(text) =>
          set({ goroutine: text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined })
        }
      />
      {mapsNarrowed(search) && (
        <Clear
          onPress={() => set({ type: undefined, state: undefined, flag: undefined, goroutine: undefined })}
        />
      )}
    </FilterRow>
  );
}
