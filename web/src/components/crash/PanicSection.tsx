import type { PanicLink, Report } from "../../api/types";
import { Copyable } from "../Copy";
import { Unknown } from "../Unknown";
import { signalWords } from "../../lib/words";

const KIND_WORDS = {
  panic: "A panic that nothing recovered",
  fatal: "A fatal error: it cannot be recovered, and deferred functions do not run",
  signal: "A signal that did not become a panic",
} as const;

export function PanicSection({ report: { panic }, why }: { report: Report; why?: string }) {
  return (
    <section aria-labelledby="panic">
      <h2 id="panic">Panic</h2>
      {panic == null ? (
        <p>
          <Unknown why={why ?? "the evidence holds no panic, fatal error or signal of its own"} />
        </p>
      ) : (
        <>
          <p className="panic-kind muted">{KIND_WORDS[panic.kind]}</p>
          {panic.message != null && <pre className="panic-message">{panic.message}</pre>}
          {panic.signal != null && <p>Signal: {signalWords(panic.signal)}</p>}
          {panic.chain.length > 0 && (
            <>
              <h3>Chain, first raised first</h3>
              <ol className="panic-chain">
                {panic.chain.map((link, index) => (
                  <Link key={index} link={link} />
                ))}
              </ol>
            </>
          )}
        </>
      )}
    </section>
  );
}

function Link({ link }: { link: PanicLink }) {
  const notes = [
    link.recovered && "recovered",
    link.repanicked && "raised again with the same value",
    link.goexit && "a runtime.Goexit that was under way",
    link.goroutine != null && `on goroutine ${link.goroutine}`,
  ].filter((note) => typeof note === "string");
  const { value } = link;
  return (
    <li>
      {value == null ? (
        link.goexit ? (
          <code>runtime.Goexit</code>
        ) : (
          <Unknown why="its value could not be read" />
        )
      ) : (
        <>
          <div className="panic-text">{value.text ?? <Unknown why="its text could not be read" />}</div>
          <div className="panic-value">
            <span className="muted">type</span>{" "}
            {value.type == null ? <Unknown why="only text is left" /> : <code>{value.type}</code>}
            {value.value != null && (
              <>
                {" "}
                <span className="muted">value</span> <Copyable value={value.value} what="the panic's value" />
              </>
            )}
          </div>
        </>
      )}
      {notes.length > 0 && <div className="muted">{notes.join(", ")}</div>}
    </li>
  );
}
