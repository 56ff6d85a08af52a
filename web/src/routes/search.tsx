import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { isBadQuery, searchQuery } from "../api/search";
import type { SearchResult } from "../api/types";
import { CrashTable } from "../components/CrashTable";
import { InlineFailure } from "../components/Failure";
import { GroupRow } from "../components/GroupRow";
import { QueryBox } from "../components/query/QueryBox";
import { QueryHelp } from "../components/query/QueryHelp";
import { Skeleton } from "../components/Skeleton";
import { counted } from "../lib/format";
import { useTitle } from "../lib/hooks";

const route = getRouteApi("/search");

/** Groups and crashes by one query. */
export default function SearchPage() {
  const { q } = route.useSearch();
  const navigate = useNavigate({ from: "/search" });
  const query = useQuery({ ...searchQuery(q ?? ""), enabled: q !== undefined });
  useTitle(q === undefined ? "Search" : `Search: ${q}`);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Search</h1>
        <p className="muted">Crashes, their groups, and what their goroutines did</p>
      </div>
      <QueryBox
        label="Query"
        value={q}
        error={query.error}
        onChange={(wanted) => void navigate({ search: { q: wanted } })}
      />
      {q === undefined ? (
        <section aria-labelledby="help">
          <h2 id="help">What can be asked</h2>
          <p className="muted query-help">
            Words are looked for anywhere. <code>field:value</code> asks for one thing; terms beside each
            other have to hold together. <code>OR</code>, <code>-</code> and parentheses do what they look
            like, <code>*</code> stands for anything, <code>{">=1.24"}</code> compares, and{" "}
            <code>{'goroutines.status:"chan receive">1000'}</code> counts.
          </p>
          <QueryHelp />
        </section>
      ) : query.error && !query.data ? (
        !isBadQuery(query.error) && <InlineFailure error={query.error} />
      ) : !query.data ? (
        <Skeleton what="what was found" lines={8} />
      ) : (
        <Found q={q} result={query.data} />
      )}
    </div>
  );
}

function Found({ q, result }: { q: string; result: SearchResult }) {
  const { groups, crashes } = result;
  const more = (cursor: string | null | undefined) => (cursor == null ? "" : " or more");
  if (groups.length === 0 && crashes.length === 0) {
    return (
      <p className="nothing" role="status">
        Nothing is like that. Read as <code>{result.query}</code>.
      </p>
    );
  }
  return (
    <>
      <p className="result-count" role="status">
        {counted(groups.length, "group")}
        {more(result.groups_cursor)}, {counted(crashes.length, "crash", "crashes")}
        {more(result.crashes_cursor)}
      </p>
      <section aria-labelledby="found-groups">
        <h2 id="found-groups">Groups</h2>
        {groups.length === 0 ? (
          <p className="muted">No group.</p>
        ) : (
          <ol className="groups" aria-label="Groups that were found">
            {groups.map((group) => (
              <GroupRow key={group.id} group={group} />
            ))}
          </ol>
        )}
        {result.groups_cursor != null && (
          <p className="after-table">
            <Link to="/" search={{ q }} className="button">
              All groups like that
            </Link>
          </p>
        )}
      </section>
      <section aria-labelledby="found-crashes">
        <h2 id="found-crashes">Crashes</h2>
        {crashes.length === 0 ? (
          <p className="muted">No crash.</p>
        ) : (
          <CrashTable crashes={crashes} caption="Crashes that were found, newest first" />
        )}
        {result.crashes_cursor != null && (
          <p className="after-table">
            <Link to="/crashes" search={{ q }} className="button">
              All crashes like that
            </Link>
          </p>
        )}
      </section>
    </>
  );
}
