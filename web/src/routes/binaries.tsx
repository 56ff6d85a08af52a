import { useInfiniteQuery } from "@tanstack/react-query";
import { binariesQuery } from "../api/queries";
import type { StoredBinary } from "../api/types";
import { Command, Copyable } from "../components/Copy";
import { Failure } from "../components/Failure";
import { More } from "../components/More";
import { Skeleton } from "../components/Skeleton";
import { Time } from "../components/Time";
import { Unknown } from "../components/Unknown";
import { bytes, shortId } from "../lib/format";
import { useTitle } from "../lib/hooks";

/** Executables that crashes are read with. */
export default function BinariesPage() {
  useTitle("Binaries");
  const query = useInfiniteQuery(binariesQuery());
  const binaries = query.data?.pages.flatMap((page) => page.items);
  if (query.error && !binaries) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Binaries</h1>
        <p className="muted">Executables that crashes are read with, newest first</p>
      </div>
      {!binaries ? (
        <Skeleton what="binaries" lines={8} />
      ) : binaries.length === 0 ? (
        <p className="nothing">No executable has been sent yet.</p>
      ) : (
        <BinaryTable binaries={binaries} />
      )}
      <More query={query} what="binaries" />
      <section aria-labelledby="send-binary">
        <h2 id="send-binary">Send one from CI</h2>
        <p className="muted">Cores of it are then analysed as soon as they come.</p>
        <Command
          text={`panicle upload binary ./app --server ${window.location.origin}`}
          what="the upload command"
        />
      </section>
    </div>
  );
}

function BinaryTable({ binaries }: { binaries: readonly StoredBinary[] }) {
  return (
    <table role="table" className="data cards">
      <caption className="sr-only">Executables</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            File
          </th>
          <th role="columnheader" scope="col">
            Module
          </th>
          <th role="columnheader" scope="col">
            Go
          </th>
          <th role="columnheader" scope="col">
            Debug information
          </th>
          <th role="columnheader" scope="col">
            Build ID
          </th>
          <th role="columnheader" scope="col">
            Received
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {binaries.map((binary) => (
          <tr role="row" key={binary.id}>
            <th role="rowheader" scope="row">
              {binary.name ?? <Unknown why="sent without a name" />}{" "}
              <span className="muted nowrap">{bytes(binary.size_bytes)}</span>
            </th>
            <Known binary={binary} value={binary.module}>
              <code>{binary.module}</code> <span className="muted">{binary.module_version}</span>
            </Known>
            <Known binary={binary} value={binary.go_version}>
              {binary.go_version}
            </Known>
            <Known binary={binary} value={binary.dwarf}>
              {binary.dwarf === "none" ? "none" : "present"}
              {binary.stripped === true && <span className="muted">, stripped</span>}
            </Known>
            <Known binary={binary} value={binary.build_ids.gnu ?? binary.build_ids.go ?? null}>
              <BuildId binary={binary} />
            </Known>
            <td role="cell">
              <Time at={binary.received_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function BuildId({ binary: { build_ids: ids, name } }: { binary: StoredBinary }) {
  const id = ids.gnu ?? ids.go ?? "";
  return <Copyable value={id} short={`${shortId(id)}…`} what={`the build ID of ${name ?? "this file"}`} />;
}

function Known({
  binary,
  value,
  children,
}: {
  binary: StoredBinary;
  value: string | null | undefined;
  children: React.ReactNode;
}) {
  if (value != null) return <td role="cell">{children}</td>;
  const why = binary.problem ?? (binary.identified ? "the file does not say" : "not read yet");
  return (
    <td role="cell">
      <Unknown why={why} />
    </td>
  );
}
