// Why crashes are one group: the steps of their signature.
import type { PopulationStack, SignatureStep } from "../api/types";
import { counted } from "../lib/format";
import { explainParts } from "../lib/explain";
import { FunctionName } from "./Code";
import { Population } from "./group/Population";

const STEP_WORDS: Record<string, string> = {
  class: "Cause",
  message: "Message",
  population: "Shared stacks",
  keep: "Kept",
  drop: "Left out",
  normalise: "Rewritten",
};

interface ExplainProps {
  explain: readonly SignatureStep[];
  /** What the goroutines shared, with numbers; where it is not at hand, the steps tell it in words. */
  population?: readonly PopulationStack[];
}

/** The steps from the cause to the outermost frame; what counts stands out, long runs of the rest are folded. */
export function Explain({ explain, population = [] }: ExplainProps) {
  return (
    <ol className="explain" aria-label="Steps of computing the signature">
      {explainParts(explain).map((part, index) => {
        if (part.kind === "step") return <Step key={index} step={part.step} />;
        if (part.kind === "dropped") {
          return (
            <li key={index} className="dropped">
              <span className="explain-step">Left out</span>
              <details className="twin">
                <summary>{counted(part.steps.length, "frame")}</summary>
                <ol className="mini-stack">
                  {part.steps.map((step, at) => (
                    <li key={at}>
                      <FunctionName name={step.input} />
                    </li>
                  ))}
                </ol>
              </details>
              <span className="explain-rule">{part.rules.join("; ")}</span>
            </li>
          );
        }
        if (population.length === 0)
          return part.steps.map((step, at) => <Step key={`${index}/${at}`} step={step} />);
        const left = part.steps.filter((step) => step.output == null);
        return (
          <li key={index} className="explain-population">
            <span className="explain-step">Shared stacks</span>
            <div>
              <Population population={population} />
              {left.map((step) => (
                <p key={step.input} className="muted small">
                  {step.input} left out: {step.rule}.
                </p>
              ))}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Step({ step: { step, input, output, rule } }: { step: SignatureStep }) {
  const frame = ["keep", "drop", "normalise"].includes(step);
  const name = (text: string) => (frame ? <FunctionName name={text} /> : <code>{text}</code>);
  return (
    <li className={output == null ? "dropped" : undefined}>
      <span className="explain-step">{STEP_WORDS[step] ?? step}</span>
      <span className="explain-what">
        {input === "" && output === "" ? (
          <span className="muted">none</span>
        ) : output == null || output === input ? (
          name(input)
        ) : (
          <>
            {name(output)}
            <span className="explain-from">from {name(input)}</span>
          </>
        )}
      </span>
      <span className="explain-rule">{rule}</span>
    </li>
  );
}
