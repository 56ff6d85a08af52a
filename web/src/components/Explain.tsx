import type { ReactNode } from "react";
import type { SignatureStep } from "../api/types";
import { Scroll } from "./Scroll";

const STEP_WORDS: Record<string, string> = {
  class: "Cause",
  message: "Message",
  population: "Shared stacks",
  keep: "Kept",
  drop: "Left out",
  normalise: "Rewritten",
};

/** Why these crashes are one group, step by step. */
export function Explain({ explain, children }: { explain: readonly SignatureStep[]; children?: ReactNode }) {
  return (
    <section aria-labelledby="explain">
      <h2 id="explain">Why these are one group</h2>
      <p className="muted">
        Crashes are one group when what is kept here is the same, from the cause to the outermost frame.
      </p>
      <Scroll label="Why these are one group, a table that scrolls">
        <table className="data explain">
          <caption className="sr-only">Steps of computing the signature</caption>
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">From the crash</th>
              <th scope="col">What counts</th>
              <th scope="col">Rule</th>
            </tr>
          </thead>
          <tbody>
            {explain.map((step, index) => (
              <tr key={index} className={step.output == null ? "dropped" : undefined}>
                <th scope="row">{STEP_WORDS[step.step] ?? step.step}</th>
                <td>
                  <code>{step.input}</code>
                </td>
                <td>
                  {step.output == null ? (
                    <span className="muted">nothing</span>
                  ) : step.output === step.input ? (
                    <span className="muted">the same</span>
                  ) : (
                    <code>{step.output}</code>
                  )}
                </td>
                <td>{step.rule}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {children}
    </section>
  );
}
