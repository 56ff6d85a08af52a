import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { setGroupState } from "../api/actions";
import { crashesQuery, groupQuery } from "../api/queries";
import type { GroupDetails, GroupState } from "../api/types";
import { Prose } from "../components/Code";
import { CrashTable } from "../components/CrashTable";
import { Fact, Facts } from "../components/Facts";
import { Failure, InlineFailure } from "../components/Failure";
import { Choice } from "../components/filters";
import { ClassMark, StateMark } from "../components/marks";
import { More } from "../components/More";
import { Skeleton } from "../components/Skeleton";
import { Explain } from "../components/Explain";
import { FullTime } from "../components/Time";
import { Sparkline, TrendTable } from "../components/Trend";
import { announce } from "../lib/announce";
import { classInfo } from "../lib/classes";
import { counted } from "../lib/format";
import { GROUP_STATES } from "../lib/group-search";
import { useTitle } from "../lib/hooks";
import { groupHeadline } from "../lib/titles";
import { trendWords } from "../lib/trend";
import { STATE_WORDS } from "../lib/words";
import { Copyable } from "../components/Copy";

const route = getRouteApi("/groups/$id");

export default function GroupPage() {
  const { id } = route.useParams();
  const query = useQuery(groupQuery(id));
  const group = query.data;
  const headline = group ? groupHeadline(group.title, classInfo(group.class).label) : "Group";
  useTitle(headline);
  if (!group) {
    if (query.error) return <Failure error={query.error} what="group" retry={() => void query.refetch()} />;
    return (
      <div className="page">
        <Skeleton what="the group" lines={10} />
      </div>
    );
  }
  const info = classInfo(group.class);
  return (
    <div className="page">
      <header className="page-title">
        <p className="eyebrow">
          <Link to="/">Groups</Link> <span aria-hidden="true">/</span> <ClassMark slug={group.class} />
          <StateMark state={group.state} />
        </p>
        <h1>
          <Prose text={headline} />
        </h1>
        {info.meaning !== "" && <p className="lead">{info.meaning}</p>}
        <div className="actions">
          {group.latest_crash_id != null && (
            <Link to="/crashes/$id" params={{ id: group.latest_crash_id }} className="button primary">
              Open the latest crash
            </Link>
          )}
          <StateChoice group={group} />
        </div>
      </header>
      <div className="with-aside">
        <div>
          <section aria-labelledby="trend">
            <h2 id="trend">Last 24 hours</h2>
            <Sparkline trend={group.trend} wide />
            <p className="trend-axis" aria-hidden="true">
              <span>24 h ago</span>
              <span>{trendWords(group.trend)}</span>
              <span>now</span>
            </p>
            <TrendTable trend={group.trend} />
          </section>
          <GroupCrashes id={id} />
          <Explain explain={group.explain} />
        </div>
        <aside aria-label="About this group">
          <section aria-labelledby="numbers">
            <h2 id="numbers">Numbers</h2>
            <Facts>
              <Fact name="Crashes">{counted(group.count, "crash", "crashes")}</Fact>
              <Fact name="Last seen">
                <FullTime at={group.last_seen} />
              </Fact>
              <Fact name="First seen">
                <FullTime at={group.first_seen} />
              </Fact>
              <Fact name="Services" why="not named when they were sent">
                {group.services.join(", ")}
              </Fact>
              <Fact name="Hosts" why="not named when they were sent">
                {group.hostnames.join(", ")}
              </Fact>
              <Fact name="Go versions" why="not told by the executables">
                {group.go_versions.join(", ")}
              </Fact>
              <Fact name="Versions" why="not told by the executables">
                {group.versions.join(", ")}
              </Fact>
              <Fact name="Fingerprint">
                <Copyable value={group.fingerprint} what="the fingerprint" />
              </Fact>
            </Facts>
          </section>
        </aside>
      </div>
    </div>
  );
}

function StateChoice({ group }: { group: GroupDetails }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (state: GroupState) => setGroupState(group.id, state),
    onSuccess: (changed) => {
      client.setQueryData(groupQuery(group.id).queryKey, changed);
      void client.invalidateQueries({ queryKey: ["groups"] });
      announce(`State: ${STATE_WORDS[changed.state]}.`);
    },
  });
  return (
    <>
      <Choice
        label="State"
        value={change.isPending ? change.variables : group.state}
        options={GROUP_STATES.map((value) => ({ value, label: STATE_WORDS[value] }))}
        onChange={(state) => {
          if (state !== undefined) change.mutate(state as GroupState);
        }}
      />
      {change.error && <InlineFailure error={change.error} />}
    </>
  );
}

function GroupCrashes({ id }: { id: string }) {
  const query = useInfiniteQuery(crashesQuery({ group: id }));
  const crashes = query.data?.pages.flatMap((page) => page.items);
  return (
    <section aria-labelledby="crashes">
      <h2 id="crashes">Crashes</h2>
      {query.error && !crashes ? (
        <InlineFailure error={query.error} />
      ) : !crashes ? (
        <Skeleton what="crashes" lines={4} />
      ) : (
        <CrashTable crashes={crashes} caption="Crashes of this group, newest first" />
      )}
      <More query={query} what="crashes" />
    </section>
  );
}
