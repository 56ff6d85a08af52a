// What a rule, or grouping anew, would change: numbers, examples, conflicts.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { crashQuery } from "../../api/queries";
import type { PlannedMove, RuleConflict, RuleKind, RulePlan } from "../../api/types";
import { count, counted } from "../../lib/format";
import { crashHeadline, sentence } from "../../lib/titles";
import { Prose } from "../Code";
import { GroupName } from "../GroupName";
import { Pages, usePages } from "../Pages";

const AT_ONCE = 8;

export function PlanView({ plan, kind }: { plan: RulePlan; kind: RuleKind }) {
  return (
    <div className="plan" role="status">
      <p>
        {plan.matched === 0 ? (
          <strong>No crash is like that.</strong>
        ) : (
          <strong>{counted(plan.matched, "crash is", "crashes are")} like that</strong>
        )}{" "}
        <span className="muted">of {counted(plan.looked_at, "crash", "crashes")} in all history.</span>{" "}
        {plan.matched > 0 && kind === "merge" && movesWords(plan.moves)}
      </p>
      {plan.conflicts.length > 0 && <Conflicts conflicts={plan.conflicts} />}
      {plan.examples.length > 0 && (
        <>
          <h3>Some of them</h3>
          <ul className="plain">
            {plan.examples.slice(0, AT_ONCE).map((id) => (
              <li key={id}>
                <CrashName id={id} />
              </li>
            ))}
          </ul>
        </>
      )}
      {plan.moves.length > 0 && <Moves moves={plan.moves} />}
      {plan.mutes.length > 0 && <Muted mutes={plan.mutes} />}
    </div>
  );
}

function movesWords(moves: readonly PlannedMove[]): string {
  const moved = moves.reduce((sum, move) => sum + move.count, 0);
  if (moved === 0) return "All of them are there already.";
  return `${counted(moved, "crash", "crashes")} would go to another group.`;
}

export function Moves({ moves }: { moves: readonly PlannedMove[] }) {
  const pages = usePages(moves, AT_ONCE);
  return (
    <>
      <h3>Which crashes would move</h3>
      <ul className="plain">
        {pages.shown.map((move) => (
          <li key={`${move.from}/${move.to ?? ""}`}>
            {counted(move.count, "crash", "crashes")} from <GroupName id={move.from} /> to{" "}
            {move.to == null ? "a new group" : <GroupName id={move.to} />}
            {move.examples.length > 0 && (
              <span className="muted">
                , such as{" "}
                {move.examples.slice(0, 3).map((id, index) => (
                  <span key={id}>
                    {index > 0 && ", "}
                    <Link to="/crashes/$id" params={{ id }}>
                      <code>{shortEnd(id)}</code>
                    </Link>
                  </span>
                ))}
              </span>
            )}
          </li>
        ))}
      </ul>
      <Pages {...pages} what="moves" />
    </>
  );
}

function Muted({ mutes }: { mutes: RulePlan["mutes"] }) {
  const pages = usePages(mutes, AT_ONCE);
  return (
    <>
      <h3>Which groups would be muted</h3>
      <ul className="plain">
        {pages.shown.map((group) => (
          <li key={group.group_id}>
            <GroupName id={group.group_id} />{" "}
            {group.muted ? (
              <span>is muted: all of its {counted(group.of, "crash is", "crashes are")} like that.</span>
            ) : (
              <span className="muted">
                is not muted: only {count(group.count)} of its {counted(group.of, "crash is", "crashes are")}{" "}
                like that.
              </span>
            )}
          </li>
        ))}
      </ul>
      <Pages {...pages} what="groups" />
    </>
  );
}

/** Crashes that somebody or something else has decided on. */
export function Conflicts({ conflicts }: { conflicts: readonly RuleConflict[] }) {
  const pages = usePages(conflicts, AT_ONCE);
  return (
    <div className="notice bad">
      <p>
        <strong>It cannot be saved: others have a claim to some of these crashes.</strong> Make the predicate
        narrower, or change what stands against it.
      </p>
      <ul className="plain conflicts">
        {pages.shown.map((conflict) => (
          <li key={conflict.crash_id}>
            <CrashName id={conflict.crash_id} />: <Prose text={sentence(conflict.reason)} />
          </li>
        ))}
      </ul>
      <Pages {...pages} what="conflicts" />
    </div>
  );
}

/** Ids are times first: their ends tell them apart. */
function shortEnd(id: string): string {
  return id.slice(-8);
}

function CrashName({ id }: { id: string }) {
  const crash = useQuery(crashQuery(id)).data;
  return (
    <Link to="/crashes/$id" params={{ id }}>
      {crash ? <Prose text={crashHeadline(crash)} /> : <code>{shortEnd(id)}</code>}
    </Link>
  );
}
