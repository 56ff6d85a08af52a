import type { Diagnostic } from "../../api/types";
import { SEVERITY_WORDS, stageWords } from "../../lib/words";
import { Prose } from "../Code";
import { Reference } from "../Reference";

interface DiagnosticsProps {
  diagnostics: readonly Diagnostic[];
  crash: string;
  shown: number | null | undefined;
}

/** What is missing or doubtful, worst first. */
export function Diagnostics({ diagnostics, crash, shown }: DiagnosticsProps) {
  const order = { error: 0, warning: 1, info: 2 } as const;
  const sorted = diagnostics.toSorted((a, b) => order[a.severity] - order[b.severity]);
  return (
    <section aria-labelledby="diagnostics">
      <h2 id="diagnostics">What is missing or doubtful</h2>
      {sorted.length === 0 ? (
        <p className="muted">Nothing: every part of the evidence could be read.</p>
      ) : (
        <ul className="diagnostics">
          {sorted.map((item, index) => (
            <li key={index} className={`severity-${item.severity}`}>
              <span className="severity">{SEVERITY_WORDS[item.severity]}</span>
              <div>
                <Prose text={item.text} />
                <div className="muted small">
                  {stageWords(item.stage)}
                  {item.ref != null && (
                    <>
                      {" · "}
                      <Reference text={item.ref} crash={crash} shown={shown} />
                    </>
                  )}
                </div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
