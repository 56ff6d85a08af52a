import type { Crash, Report } from "../../api/types";
import { baseName, bytes, count } from "../../lib/format";
import { DWARF_WORDS, LAYOUT_WORDS, MATCH_WORDS, signalWords } from "../../lib/words";
import { Copyable } from "../Copy";
import { Fact, Facts } from "../Facts";
import { FullTime } from "../Time";

export function ProcessFacts({ crash, report }: { crash: Crash; report: Report }) {
  const { process, source } = report;
  const labels = Object.entries(crash.labels);
  return (
    <section aria-labelledby="process">
      <h2 id="process">Process</h2>
      <Facts>
        <Fact name="Service" why="not named when it was sent">
          {crash.service}
        </Fact>
        <Fact name="Host" why="not named when it was sent">
          {crash.hostname ?? process.hostname}
        </Fact>
        <Fact name="Executable" why="the evidence does not say">
          {process.executable && <Copyable value={process.executable} what="the executable's path" />}
        </Fact>
        <Fact name="Command line" why="the evidence does not say">
          {process.command_line && <code>{process.command_line}</code>}
        </Fact>
        <Fact name="Process id" why="the evidence does not say">
          {process.pid != null && <code>{process.pid}</code>}
        </Fact>
        <Fact name="Ended by" why="the evidence does not say">
          {process.signal && signalWords(process.signal)}
        </Fact>
        <Fact name="Goroutines" why="no goroutine could be read">
          {report.goroutine_count > 0 && count(report.goroutine_count)}
        </Fact>
        {crash.reported_version != null && (
          <Fact name="Version">{crash.reported_version} (as told by its reporter)</Fact>
        )}
        {process.container != null && (
          <Fact name="Container">
            <code>{process.container}</code>
          </Fact>
        )}
        <Fact name="Occurred" why="neither the log nor its sender says">
          {crash.occurred_at && <FullTime at={crash.occurred_at} />}
        </Fact>
        <Fact name="Received">
          <FullTime at={crash.received_at} />
        </Fact>
        {labels.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
        {source.core && (
          <Fact name="Core">
            {source.core.format}, {source.core.os}/{source.core.arch}, {bytes(source.core.size_bytes)}
          </Fact>
        )}
        {source.core?.truncated && (
          <Fact name="Cut off">
            {bytes(source.core.truncated.present_bytes)} of {bytes(source.core.truncated.expected_bytes)} are
            there
          </Fact>
        )}
      </Facts>
    </section>
  );
}

export function BinaryFacts({ report: { binary, layout } }: { report: Report }) {
  return (
    <section aria-labelledby="binary">
      <h2 id="binary">Binary</h2>
      {binary == null ? (
        <p className="muted">No executable was at hand.</p>
      ) : (
        <Facts>
          <Fact name="File" why="sent without a name">
            {binary.path && <code>{baseName(binary.path)}</code>}
          </Fact>
          <Fact name="Match">
            <span className={binary.match === "mismatch" ? "bad" : undefined}>
              {MATCH_WORDS[binary.match]}
            </span>
          </Fact>
          <Fact name="Go version" why="the file does not say">
            {binary.go_version}
            {binary.go_version_inferred && " (found in memory; the build information was removed)"}
          </Fact>
          <Fact name="Module" why="the file does not say">
            {binary.module && <code>{binary.module}</code>}
          </Fact>
          <Fact name="Version" why="the file does not say">
            {binary.module_version}
          </Fact>
          <Fact name="Revision" why="built without version control">
            {binary.vcs_revision && <Copyable value={binary.vcs_revision} what="the revision" />}
          </Fact>
          <Fact name="Debug information">
            {DWARF_WORDS[binary.dwarf]}
            {binary.debug_file?.path && (
              <>
                : <code>{baseName(binary.debug_file.path)}</code>
              </>
            )}
          </Fact>
          <Fact name="Symbol table">{binary.stripped ? "none (stripped)" : "present"}</Fact>
          <Fact name="GNU build ID" why="the file has none">
            {binary.build_ids.gnu && <Copyable value={binary.build_ids.gnu} what="the GNU build ID" />}
          </Fact>
          <Fact name="Go build ID" why="the file has none">
            {binary.build_ids.go && <Copyable value={binary.build_ids.go} what="the Go build ID" />}
          </Fact>
          <Fact name="Runtime layout" why="no memory was read">
            {layout && `from ${LAYOUT_WORDS[layout.source]}`}
            {layout?.source === "nearest-table" && layout.go_version && ` (${layout.go_version})`}
          </Fact>
        </Facts>
      )}
    </section>
  );
}
