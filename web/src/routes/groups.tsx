import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { groupsQuery, statsQuery } from "../api/queries";
import { isBadQuery } from "../api/search";
import { Failure } from "../components/Failure";
import { GroupFilters } from "../components/GroupFilters";
import { GroupRow } from "../components/GroupRow";
import { HowToSend } from "../components/HowToSend";
import { More } from "../components/More";
import { QueryBox } from "../components/query/QueryBox";
import { Skeleton } from "../components/Skeleton";
import { counted } from "../lib/format";
import { isFiltered } from "../lib/group-search";
import { useTitle } from "../lib/hooks";

const route = getRouteApi("/");

/** One line for all crashes of one cause. */
export default function GroupsPage() {
  useTitle("Groups");
  const filter = route.useSearch();
  const stats = useQuery(statsQuery());
  const query = useInfiniteQuery(groupsQuery(filter));
  const groups = query.data?.pages.flatMap((page) => page.items);
  const bad = isBadQuery(query.error);
  const navigate = useNavigate({ from: "/" });
  if (query.error && !groups && !bad)
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (groups?.length === 0 && !isFiltered(filter)) return <FirstCrash received={stats.data?.crashes ?? 0} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Groups</h1>
        {stats.data && (
          <p className="muted">
            {counted(stats.data.crashes, "crash", "crashes")} in {counted(stats.data.groups, "group")}
          </p>
        )}
      </div>
      <QueryBox
        label="Search groups"
        value={filter.q}
        error={query.error}
        onChange={(q) => void navigate({ search: (before) => ({ ...before, q }) })}
      />
      <GroupFilters filter={filter} />
      {bad ? null : !groups ? (
        <Skeleton what="groups" lines={8} />
      ) : groups.length === 0 ? (
        <p className="nothing">
          No group is like that. <Link to="/">Show all</Link>
        </p>
      ) : (
        <ol className="groups" aria-label="Groups">
          {groups.map((group) => (
            <GroupRow key={group.id} group={group} />
          ))}
        </ol>
      )}
      <More query={query} what="groups" />
    </div>
  );
}

/** Nothing has come yet: how to send the first crash. */
function FirstCrash({ received }: { received: number }) {
  return (
    <div className="page narrow-page first-crash">
      <h1>No crash has been grouped yet</h1>
      {received > 0 ? (
        <p className="lead">
          {counted(received, "crash has", "crashes have")} been received and not been grouped so far: see{" "}
          <Link to="/crashes">all crashes</Link>.
        </p>
      ) : (
        <p className="lead">
          Send a core file, or what a Go program printed when it died, and what happened is here within
          seconds.
        </p>
      )}
      <HowToSend />
      <p>
        <Link to="/upload" className="button primary large">
          Send files from this browser
        </Link>
      </p>
    </div>
  );
}
