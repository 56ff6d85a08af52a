// The steps of a signature, so that a person can read them.
import type { SignatureStep } from "../api/types";

export type ExplainPart =
  | { kind: "step"; step: SignatureStep }
  /** Frames in a row that do not count. */
  | { kind: "dropped"; steps: SignatureStep[]; rules: string[] }
  /** Stacks that goroutines share, where nobody is at fault. */
  | { kind: "population"; steps: SignatureStep[] };

/** Steps in a row that are worth a fold. */
const FOLDED_FROM = 3;

/** What is left out many times over becomes one part, and so do the stacks of a population. */
export function explainParts(steps: readonly SignatureStep[]): ExplainPart[] {
  const parts: ExplainPart[] = [];
  let at = 0;
  while (at < steps.length) {
    const rest = steps.slice(at);
    const shared = runOf(rest, (step) => step.step === "population");
    const dropped = runOf(rest, (step) => step.step === "drop" && step.output == null);
    if (shared.length > 0) {
      parts.push({ kind: "population", steps: shared });
      at += shared.length;
    } else if (dropped.length >= FOLDED_FROM) {
      parts.push({ kind: "dropped", steps: dropped, rules: [...new Set(dropped.map(({ rule }) => rule))] });
      at += dropped.length;
    } else {
      parts.push(...rest.slice(0, Math.max(1, dropped.length)).map(asStep));
      at += Math.max(1, dropped.length);
    }
  }
  return parts;
}

function asStep(step: SignatureStep): ExplainPart {
  return { kind: "step", step };
}

function runOf(steps: readonly SignatureStep[], fits: (step: SignatureStep) => boolean): SignatureStep[] {
  const end = steps.findIndex((step) => !fits(step));
  return steps.slice(0, end < 0 ? steps.length : end);
}
