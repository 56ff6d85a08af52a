import { Link } from "@tanstack/react-router";
import type { Report, Thread } from "../../api/types";
import { Scroll } from "../Scroll";
import { Unknown } from "../Unknown";
import { FunctionName } from "../Code";
import { Copyable } from "../Copy";

const ON_WORDS: Record<NonNullable<Thread["on"]>, string> = {
  goroutine: "a goroutine's stack",
  g0: "the scheduler's stack",
  gsignal: "the signal stack",
  c: "a C stack",
};

export function Threads({ report, crash }: { report: Report; crash: string }) {
  return (
    <section aria-labelledby="threads">
      <h2 id="threads">Threads</h2>
      {report.threads.length === 0 ? (
        <p>
          <Unknown why="the evidence does not list threads" />
        </p>
      ) : (
        <Scroll label="Threads, a table that scrolls">
          <table className="data">
            <caption className="sr-only">OS threads of the process</caption>
            <thead>
              <tr>
                <th scope="col">Thread</th>
                <th scope="col">Goroutine</th>
                <th scope="col">Stands on</th>
                <th scope="col">Signal</th>
                <th scope="col">Program counter</th>
                <th scope="col">Innermost frame there</th>
              </tr>
            </thead>
            <tbody>
              {report.threads.map((thread) => (
                <tr key={thread.tid}>
                  <th scope="row">
                    <code>{thread.tid}</code>
                  </th>
                  <td>
                    {thread.goroutine == null ? (
                      <span className="muted">none</span>
                    ) : (
                      <Link
                        to="/crashes/$id/goroutines/$gid"
                        params={{ id: crash, gid: String(thread.goroutine) }}
                      >
                        {thread.goroutine}
                      </Link>
                    )}
                  </td>
                  <td>{thread.on == null ? <Unknown /> : ON_WORDS[thread.on]}</td>
                  <td>{thread.signal ?? <span className="muted">none</span>}</td>
                  <td>
                    {thread.pc == null ? (
                      <Unknown />
                    ) : (
                      <Copyable value={thread.pc} what={`the program counter of thread ${thread.tid}`} />
                    )}
                  </td>
                  <td>
                    {thread.frames[0] ? (
                      <FunctionName name={thread.frames[0].function} />
                    ) : (
                      <span className="muted">
                        {thread.on === "goroutine" ? "see its goroutine" : "not read"}
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}
