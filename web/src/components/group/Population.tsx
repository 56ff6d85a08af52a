import { useQuery } from "@tanstack/react-query";
import { crashQuery, reportQuery } from "../../api/queries";
import type { PopulationStack } from "../../api/types";
import { counted } from "../../lib/format";
import { shareWords } from "../../lib/group-words";
import { FunctionName } from "../Code";

/** What the goroutines of the latest crash shared, where nobody is at fault. */
export function GroupPopulation({ crash }: { crash: string }) {
  const found = useQuery(crashQuery(crash)).data;
  const report = useQuery({ ...reportQuery(crash, found?.analysed_at), enabled: found?.has_report ?? false });
  const population = report.data?.signature.population ?? [];
  if (population.length === 0) return null;
  return (
    <>
      <h3>The stacks that its goroutines share</h3>
      <p className="muted">
        Nobody is at fault, so that these crashes are one by what their goroutines wait for. Shares are of the
        goroutines with a function of the program on their stacks, in the latest crash.
      </p>
      <Population population={population} />
    </>
  );
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
