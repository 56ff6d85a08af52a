import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { groupQuery } from "../api/queries";
import { Prose } from "../components/Code";
import { Copyable } from "../components/Copy";
import { Fact, Facts } from "../components/Facts";
import { Failure } from "../components/Failure";
import { GroupActions } from "../components/group/GroupActions";
import { GroupCrashes } from "../components/group/GroupCrashes";
import { GroupTrend } from "../components/group/GroupTrend";
import { History } from "../components/group/History";
import { GroupExplain } from "../components/group/Population";
import { Spread } from "../components/group/Spread";
import { Unmerge, Variants } from "../components/group/Variants";
import type { TaggedGroup } from "../components/group/useChange";
import { During } from "../components/incidents/During";
import { ClassMark, StateMark } from "../components/marks";
import { Skeleton } from "../components/Skeleton";
import { FullTime, Time } from "../components/Time";
import { classInfo } from "../lib/classes";
import { counted, shortId } from "../lib/format";
import { muteProgress, stateSentence } from "../lib/group-words";
import { useTitle } from "../lib/hooks";
import { groupHeadline } from "../lib/titles";

const route = getRouteApi("/groups/$id");

/** Crashes of one bug: what it is, where it stands, and what can be done about it. */
export default function GroupPage() {
  const { id } = route.useParams();
  const { trend = "day" } = route.useSearch();
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
        <State group={group} />
        <During incidents={group.incidents} />
        <GroupActions key={id} group={group} />
      </header>
      <div className="with-aside">
        <div>
          <GroupTrend id={id} span={trend} />
          <GroupCrashes key={`crashes of ${id}`} group={group} />
          <Spread group={group} />
          <Variants key={`variants of ${id}`} group={group} />
          <History id={id} />
          <GroupExplain group={group} />
        </div>
        <Numbers group={group} />
      </div>
    </div>
  );
}

/** Where it stands, and why. */
function State({ group }: { group: TaggedGroup }) {
  const progress = group.state === "muted" && group.mute ? muteProgress(group.mute, group.count) : null;
  if (group.merged_into != null) {
    return (
      <div className="notice warn merged-into">
        <p>
          <strong>This group was merged into another one,</strong> which has its crashes since:{" "}
          <Link to="/groups/$id" params={{ id: group.merged_into }}>
            group <code>{shortId(group.merged_into)}</code>
          </Link>
          .
        </p>
        <Unmerge id={group.id} />
      </div>
    );
  }
  return (
    <p className={`group-state state-of-${group.state}`}>
      <Prose text={stateSentence(group)} /> {progress !== null && `${progress}. `}
      <span className="muted">
        Since <Time at={group.state_since} />.
      </span>
    </p>
  );
}

function Numbers({ group }: { group: TaggedGroup }) {
  return (
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
            {some(group.hostnames)}
          </Fact>
          <Fact name="Go versions" why="not told by the executables">
            {some(group.go_versions)}
          </Fact>
          <Fact name="Versions" why="not told by the executables">
            {some(group.versions)}
          </Fact>
          <Fact name="Owner">{group.owner ?? <span className="muted">nobody</span>}</Fact>
          <Fact name="Full cores">
            {group.keep_cores == null ? "kept as for all groups" : `${group.keep_cores} are kept`}
          </Fact>
          <Fact name="Fingerprint">
            <Copyable value={group.fingerprint} what="the fingerprint" />
          </Fact>
        </Facts>
      </section>
      {group.notes != null && (
        <section aria-labelledby="notes">
          <h2 id="notes">Notes</h2>
          <p className="group-notes">{group.notes}</p>
        </section>
      )}
    </aside>
  );
}

const NAMED = 5;

/** The first few of them; tables have all. */
function some(values: readonly string[]): string {
  const hidden = values.length - NAMED;
  return values.slice(0, NAMED).join(", ") + (hidden > 0 ? ` and ${hidden} more` : "");
}
