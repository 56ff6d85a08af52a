import { Link } from "@tanstack/react-router";
import type { Crash, Report } from "../../api/types";
import { Prose } from "../Code";
import { Command } from "../Copy";
import { Reference } from "../Reference";
import { splitCommand } from "../../lib/commands";

/** What the verdict stands on, and what to do about it. */
export function VerdictSection({ crash, report }: { crash: Crash; report: Report }) {
  const { verdict } = report;
  return (
    <section aria-labelledby="why" className="verdict-body">
      {crash.status === "waiting-for-binary" ? (
        <>
          <h2 id="why">What the core alone tells</h2>
          <p className="provisional">
            <Prose text={`${verdict.title}. ${verdict.summary}`} />{" "}
            <span className="muted">This may change when the binary is here.</span>
          </p>
        </>
      ) : (
        <h2 id="why">What this stands on</h2>
      )}
      {verdict.evidence.length === 0 ? (
        <p className="muted">Nothing in the evidence speaks for a cause.</p>
      ) : (
        <ul className="evidence">
          {verdict.evidence.map((item, index) => (
            <li key={index}>
              <Prose text={item.text} />{" "}
              {item.ref != null && <Reference text={item.ref} crash={crash.id} shown={verdict.goroutine} />}
            </li>
          ))}
        </ul>
      )}
      <Others crash={crash} report={report} />
    </section>
  );
}

/** What was seen besides: no part of the verdict, and it may have nothing to do with it. */
export function Hints({ report: { verdict } }: { report: Report }) {
  if (verdict.hints.length === 0) return null;
  return (
    <section aria-labelledby="hints" className="hints">
      <h2 id="hints">
        Hints
        <span className="h-note">seen besides; no part of the verdict</span>
      </h2>
      <ul>
        {verdict.hints.map((hint) => (
          <li key={hint}>
            <Prose text={hint} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Remedies({ report: { verdict } }: { report: Report }) {
  return (
    <>
      {verdict.fixes.length > 0 && (
        <section aria-labelledby="fixes">
          <h2 id="fixes">What would mend it</h2>
          <ul className="remedies">
            {verdict.fixes.map((fix) => (
              <li key={fix}>
                <Prose text={fix} />
              </li>
            ))}
          </ul>
          {verdict.example != null && (
            <>
              <h3 id="example">For example</h3>
              <Command text={verdict.example.trimEnd()} what="the example" />
            </>
          )}
        </section>
      )}
      {verdict.capture_next.length > 0 && (
        <section aria-labelledby="capture">
          <h2 id="capture">To capture next time</h2>
          <ul className="captures">
            {verdict.capture_next.map((line) => {
              const { command, rest } = splitCommand(line);
              return (
                <li key={line}>
                  {command !== null && <Command text={command} what="the command" />}
                  <Prose text={rest} />
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </>
  );
}

function Others({ crash, report: { verdict } }: { crash: Crash; report: Report }) {
  if (verdict.other_goroutines.length === 0) return null;
  return (
    <p>
      Also took part:{" "}
      {verdict.other_goroutines.map((id, index) => (
        <span key={id}>
          {index > 0 && ", "}
          <Link to="/crashes/$id/goroutines/$gid" params={{ id: crash.id, gid: String(id) }}>
            goroutine {id}
          </Link>
        </span>
      ))}
      .
    </p>
  );
}
