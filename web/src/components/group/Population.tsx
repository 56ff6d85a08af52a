import { useQuery } from "@tanstack/react-query";
import { crashQuery, reportQuery } from "../../api/queries";
import type { GroupDetails, PopulationStack } from "../../api/types";
import { counted } from "../../lib/format";
import { shareWords } from "../../lib/group-words";
import { FunctionName } from "../Code";
import { Explain } from "../Explain";

/** Why the crashes of a group are one; where nobody is at fault, by what the goroutines of the latest share. */
export function GroupExplain({ group }: { group: GroupDetails }) {
  const shared = group.explain.some(({ step }) => step === "population");
  return (
    <section aria-labelledby="explain">
      <h2 id="explain">Why these are one group</h2>
      <p className="muted">
        {shared
          ? "Nobody is at fault, so that these crashes are one by what their goroutines wait for. Shares are of the goroutines with a function of the program on their stacks, in the latest crash."
          : "Crashes are one group when what is kept here is the same, from the cause to the outermost frame."}
      </p>
      {shared && group.latest_crash_id != null ? (
        <SharedExplain group={group} crash={group.latest_crash_id} />
      ) : (
        <Explain explain={group.explain} />
      )}
    </section>
  );
}

function SharedExplain({ group, crash }: { group: GroupDetails; crash: string }) {
  const found = useQuery(crashQuery(crash)).data;
  const report = useQuery({ ...reportQuery(crash, found?.analysed_at), enabled: found?.has_report ?? false });
  return <Explain explain={group.explain} population={report.data?.signature.population ?? []} />;
}

export function Population({ population }: { population: readonly PopulationStack[] }) {
  return (
    <ol className="population" aria-label="Shared stacks, most goroutines first">
      {population.map((stack, index) => (
        <li key={index}>
          <p className="population-head">
            <span className="share-bar" aria-hidden="true">
              <span style={{ width: `${Math.min(100, stack.share * 100)}%` }} />
            </span>
            <strong>{shareWords(stack.share)}</strong>{" "}
            <span className="muted">
              {counted(stack.count, "goroutine")}, {stack.state}
            </span>
          </p>
          <ol className="mini-stack">
            {stack.frames.map((frame, at) => (
              <li key={at}>
                <FunctionName name={frame} />
              </li>
            ))}
          </ol>
        </li>
      ))}
    </ol>
  );
}
