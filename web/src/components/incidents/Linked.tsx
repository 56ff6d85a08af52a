// What happened during an incident.
import type { IncidentDetails } from "../../api/types";
import { count, counted } from "../../lib/format";
import { groupsOf } from "../../lib/incident-words";
import { sentence } from "../../lib/titles";
import { CrashTable } from "../CrashTable";
import { GroupName } from "../GroupName";
import { Pages, usePages } from "../Pages";

const AT_ONCE = 10;

/** The crashes, each with why it is linked. */
export function LinkedCrashes({ incident }: { incident: IncidentDetails }) {
  const { crashes, crash_count: total } = incident;
  const notes = new Map(crashes.map(({ crash, reason }) => [crash.id, sentence(reason)]));
  return (
    <section aria-labelledby="crashes">
      <h2 id="crashes">
        Crashes
        {crashes.length > 0 && (
          <span className="h-note">
            {crashes.length < total
              ? `the ${count(crashes.length)} received last of ${count(total)}`
              : "the one received last on top"}
          </span>
        )}
      </h2>
      {crashes.length === 0 ? (
        <p className="muted">
          No crash is linked. One is when a label of an alert names its service or its host, and it happened
          meanwhile or up to ten minutes before.
        </p>
      ) : (
        <CrashTable
          crashes={crashes.map(({ crash }) => crash)}
          notes={notes}
          caption="Crashes during this incident, the one received last first"
        />
      )}
    </section>
  );
}

/** The groups that these crashes are in. */
export function LinkedGroups({ incident: { crashes } }: { incident: IncidentDetails }) {
  const groups = groupsOf(crashes);
  const { shown, ...pages } = usePages(groups, AT_ONCE);
  const without = crashes.filter(({ crash }) => crash.group_id == null).length;
  if (crashes.length === 0) return null;
  return (
    <section aria-labelledby="groups">
      <h2 id="groups">
        Groups
        <span className="h-note">which bugs these crashes are</span>
      </h2>
      {groups.length > 0 && (
        <ul className="linked-groups" aria-label="Groups of these crashes">
          {shown.map(({ id, count: some }) => (
            <li key={id}>
              <GroupName id={id} />{" "}
              <span className="muted small">{counted(some, "crash", "crashes")} of these</span>
            </li>
          ))}
        </ul>
      )}
      <Pages what="groups" {...pages} />
      {without > 0 && (
        <p className="muted small">{counted(without, "crash is", "crashes are")} in no group yet.</p>
      )}
    </section>
  );
}
