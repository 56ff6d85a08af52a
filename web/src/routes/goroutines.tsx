import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { clustersQuery, crashQuery, goroutinesQuery, reportQuery } from "../api/queries";
import type { GoroutineFacets } from "../api/schema.gen";
import { Clusters } from "../components/Clusters";
import { Prose } from "../components/Code";
import { Failure, InlineFailure } from "../components/Failure";
import { Choice, Clear, Filters as FilterRow, SearchText } from "../components/filters";
import { GoroutineTable } from "../components/GoroutineTable";
import { More } from "../components/More";
import { Skeleton } from "../components/Skeleton";
import { count, counted, shortId } from "../lib/format";
import { type GoroutineSearch, goroutineFilter, narrowed } from "../lib/goroutine-search";
import { useTitle } from "../lib/hooks";

const route = getRouteApi("/crashes/$id/goroutines");

/** All goroutines of a crash: by stack, or one by one. */
export default function GoroutinesPage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const filter = goroutineFilter(search);
  // A filter is about single goroutines, and so is the table.
  const view = search.view ?? (narrowed(filter) ? "table" : "clusters");
  const crash = useQuery(crashQuery(id));
  const first = useQuery(goroutinesQuery(id, filter, 0));
  const report = useQuery({
    ...reportQuery(id, crash.data?.analysed_at),
    enabled: crash.data?.has_report ?? false,
  });
  // Of a very long dump, not every goroutine is kept one by one.
  const all = report.data?.goroutine_count ?? 0;
  useTitle(crash.data?.title ? `Goroutines: ${crash.data.title}` : "Goroutines");
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
        <h1>Goroutines</h1>
      </header>
      <nav className="views" aria-label="Views">
        <Link
          to="/crashes/$id/goroutines"
          params={{ id }}
          search={{ ...search, view: "clusters" }}
          aria-current={view === "clusters" ? "page" : undefined}
        >
          By stack
        </Link>
        <Link
          to="/crashes/$id/goroutines"
          params={{ id }}
          search={{ ...search, view: "table" }}
          aria-current={view === "table" ? "page" : undefined}
        >
          One by one
        </Link>
      </nav>
      {first.error ? (
        <InlineFailure error={first.error} />
      ) : view === "clusters" ? (
        <ClusterView id={id} />
      ) : (
        <>
          <Filters search={search} facets={first.data?.facets} id={id} />
          <p className="result-count" role="status">
            {first.data
              ? narrowed(filter)
                ? `${count(first.data.matched)} of ${counted(first.data.total, "goroutine")}`
                : counted(first.data.total, "goroutine")
              : "Loading goroutines"}
            {first.data && all > first.data.total && (
              <span className="muted">
                ; {counted(all - first.data.total, "more was", "more were")} only counted, by state and stack
              </span>
            )}
          </p>
          {first.data?.matched === 0 ? (
            <p className="nothing">No goroutine is like that.</p>
          ) : first.data ? (
            <GoroutineTable
              key={JSON.stringify(filter)}
              crash={id}
              search={search}
              matched={first.data.matched}
            />
          ) : (
            <Skeleton what="goroutines" lines={12} />
          )}
        </>
      )}
    </div>
  );
}

/** Clusters that are shown at first, and that each press adds. */
const CLUSTERS_AT_ONCE = 50;

function ClusterView({ id }: { id: string }) {
  const query = useInfiniteQuery(clustersQuery(id));
  const [shown, setShown] = useState(CLUSTERS_AT_ONCE);
  const clusters = query.data?.pages.flatMap((page) => page.items);
  if (query.error && !clusters) return <InlineFailure error={query.error} />;
  if (!clusters) return <Skeleton what="clusters" lines={8} />;
  if (clusters.length === 0) return <p className="nothing">No goroutine of this crash could be read.</p>;
  return (
    <>
      <p className="muted">
        Goroutines with the same stack, state and wait reason, most numerous first. A number lists them.
      </p>
      <Clusters clusters={clusters.slice(0, shown)} crash={id} module={null} stacks />
      <More
        what={`stacks, of ${count(clusters.length)}`}
        query={{
          hasNextPage: shown < clusters.length || query.hasNextPage,
          isFetchingNextPage: query.isFetchingNextPage,
          fetchNextPage: () => {
            setShown(shown + CLUSTERS_AT_ONCE);
            return query.hasNextPage ? query.fetchNextPage() : Promise.resolve();
          },
        }}
      />
    </>
  );
}

interface FiltersProps {
  search: GoroutineSearch;
  facets: GoroutineFacets | undefined;
  id: string;
}

function Filters({ search, facets, id }: FiltersProps) {
  const navigate = useNavigate({ from: "/crashes/$id/goroutines" });
  const set = (change: Partial<GoroutineSearch>) =>
    void navigate({
      params: { id },
      search: (before) => ({ ...before, view: "table" as const, ...change }),
      replace: true,
    });
  const options = (values: GoroutineFacets["status"] | undefined) =>
    (values ?? []).map((facet) => ({ value: facet.value, label: `${facet.value} (${count(facet.count)})` }));
  const keys = facets?.label_keys.map((facet) => facet.value) ?? [];
  return (
    <FilterRow set={narrowed(search)}>
      <Choice
        label="State"
        any="Any state"
        value={search.status}
        options={options(facets?.status)}
        onChange={(status) => set({ status })}
      />
      <Choice
        label="Wait reason"
        any="Any reason"
        value={search.wait_reason}
        options={options(facets?.wait_reason)}
        onChange={(wait_reason) => set({ wait_reason })}
      />
      <SearchText
        label="Function on the stack"
        placeholder="Part of its name"
        value={search.function}
        onChange={(name) => set({ function: name })}
      />
      <SearchText
        label="Label"
        placeholder={keys.length > 0 ? `${keys[0] ?? ""}=…` : "none is set in this process"}
        value={search.label}
        onChange={(label) => set({ label })}
      />
      {search.cluster !== undefined && (
        <span className="chip">
          Only one stack: <code>{shortId(search.cluster)}</code>
          <Clear onPress={() => set({ cluster: undefined })} />
        </span>
      )}
      {narrowed(search) && search.cluster === undefined && (
        <Clear
          onPress={() =>
            set({
              status: undefined,
              wait_reason: undefined,
              function: undefined,
              label: undefined,
              cluster: undefined,
            })
          }
        />
      )}
    </FilterRow>
  );
}
