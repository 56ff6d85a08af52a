// Which group a crash is in, why, and putting it into one of its own.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { Button } from "react-aria-components";
import { groupQuery } from "../../api/queries";
import { ruleQuery } from "../../api/rules";
import type { Crash, Report } from "../../api/types";
import { counted } from "../../lib/format";
import { Copyable } from "../Copy";
import { Explain } from "../Explain";
import { InlineFailure } from "../Failure";
import { GroupName } from "../GroupName";
import { SplitPanel } from "../group/SplitPanel";
import { StateMark } from "../marks";

export function ItsGroup({ crash, report }: { crash: Crash; report: Report }) {
  // Its signature is not final before it is grouped by it.
  if (crash.group_id == null) return null;
  const { signature } = report;
  return (
    <section aria-labelledby="group">
      <h2 id="group">Its group</h2>
      <Placed key={crash.group_id} crash={crash} group={crash.group_id} />
      <h3>What its signature is made of</h3>
      <p className="muted">
        Crashes in which all that is kept here is the same are one group. Fingerprint{" "}
        <Copyable value={signature.fingerprint} what="the fingerprint" />, version {signature.version}.
      </p>
      <Explain explain={signature.explain} population={signature.population ?? []} />
    </section>
  );
}

function Placed({ crash, group: id }: { crash: Crash; group: string }) {
  const query = useQuery(groupQuery(id));
  const [splitting, setSplitting] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const group = query.data;
  return (
    <>
      <p className="its-group">
        <GroupName id={id} />{" "}
        {group && (
          <>
            <StateMark state={group.state} />{" "}
            <span className="muted">
              {group.count === 1
                ? "the only crash in it"
                : `one of ${counted(group.count, "crash", "crashes")}`}
            </span>
          </>
        )}
      </p>
      <p className="muted">
        <Why crash={crash} />
      </p>
      {query.error && <InlineFailure error={query.error} />}
      {group && group.count > 1 && !splitting && (
        <p className="after-table">
          <Button ref={opener} className="button" onPress={() => setSplitting(true)}>
            Split it off…
          </Button>
        </p>
      )}
      {splitting && (
        <SplitPanel
          group={id}
          part={{ crashes: [crash.id] }}
          onClose={() => {
            setSplitting(false);
            requestAnimationFrame(() => opener.current?.focus());
          }}
          onDone={() => undefined}
        />
      )}
    </>
  );
}

function Why({ crash }: { crash: Crash }) {
  if (crash.pinned) {
    return "A person put it there, and there it stays. The group's history tells who, and can take it back.";
  }
  if (crash.rule_id != null) return <ByRule id={crash.rule_id} />;
  return "Its signature put it there.";
}

function ByRule({ id }: { id: string }) {
  const rule = useQuery(ruleQuery(id)).data;
  return (
    <>
      The rule <Link to="/rules">{rule?.name ?? id}</Link> put it there
      {rule && (
        <>
          : <code>{rule.predicate}</code>
        </>
      )}
      .
    </>
  );
}
