import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { crashesQuery } from "../api/queries";
import { isBadQuery } from "../api/search";
import type { CrashStatus, CrashSummary, Page } from "../api/types";
import { CrashTable } from "../components/CrashTable";
import { Failure } from "../components/Failure";
import { Choice } from "../components/filters";
import { More } from "../components/More";
import { QueryBox } from "../components/query/QueryBox";
import { Skeleton } from "../components/Skeleton";
import { useTitle } from "../lib/hooks";
import { STATUS_WORDS } from "../lib/words";

const route = getRouteApi("/crashes");

/** Every crash, also those that are in no group yet. */
export default function CrashesPage() {
  const { status, q } = route.useSearch();
  useTitle(status ? `Crashes: ${STATUS_WORDS[status].toLowerCase()}` : "Crashes");
  const navigate = useNavigate({ from: "/crashes" });
  const query = useInfiniteQuery(crashesQuery({ status, q }));
  // What was set aside has failed, too, and is counted with it in the header.
  const aside = useInfiniteQuery({
    ...crashesQuery({ status: "quarantined", q }),
    enabled: status === "failed",
  });
  const crashes = listed(query.data?.pages, status === "failed" ? aside.data?.pages : []);
  const narrowed = status !== undefined || q !== undefined;
  const bad = isBadQuery(query.error);
  if (query.error && !crashes && !bad)
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Crashes</h1>
        <p className="muted">Everything that was received, newest first</p>
      </div>
      <QueryBox
        label="Search crashes"
        value={q}
        error={query.error}
        onChange={(wanted) => void navigate({ search: (before) => ({ ...before, q: wanted }) })}
      />
      <div className="filters">
        <Choice
          label="Status"
          value={status}
          any="Any status"
          options={Object.entries(STATUS_WORDS).map(([value, label]) => ({
            value,
            label: value === "failed" ? "Failed or quarantined" : label,
          }))}
          onChange={(value) =>
            void navigate({
              search: (before) => ({ ...before, status: value as CrashStatus | undefined }),
              replace: true,
            })
          }
        />
      </div>
      {bad ? null : !crashes ? (
        <Skeleton what="crashes" lines={8} />
      ) : crashes.length === 0 ? (
        <p className="nothing">
          {narrowed ? "No crash is like that." : "No crash has been received yet."}{" "}
          {narrowed ? <Link to="/crashes">Show all</Link> : <Link to="/upload">Send one</Link>}
        </p>
      ) : (
        <CrashTable crashes={crashes} caption="Crashes, newest first" />
      )}
      <More query={query} what="crashes" />
      {status === "failed" && <More query={aside} what="quarantined crashes" />}
    </div>
  );
}

/** Both lists as one, newest first; undefined until both are there. */
function listed(
  some: Page<CrashSummary>[] | undefined,
  more: Page<CrashSummary>[] | undefined,
): CrashSummary[] | undefined {
  if (!some || !more) return undefined;
  return [...some, ...more]
    .flatMap((page) => page.items)
    .toSorted((a, b) => Date.parse(b.received_at) - Date.parse(a.received_at));
}
