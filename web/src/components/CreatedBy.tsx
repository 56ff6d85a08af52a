import { Link } from "@tanstack/react-router";
import type { Goroutine } from "../api/types";
import { position } from "../lib/frames";
import { FunctionName } from "./Code";

/** The `go` statement that made a goroutine. */
export function CreatedBy({
  createdBy,
  crash,
}: {
  createdBy: Goroutine["created_by"] | null;
  crash: string;
}) {
  if (createdBy == null) return null;
  const where = position({ file: createdBy.file ?? null, line: createdBy.line ?? null });
  return (
    <p className="created-by">
      <span className="muted">created by</span> <FunctionName name={createdBy.function} />{" "}
      {where !== null && (
        <span className="position" title={createdBy.file ?? undefined}>
          {where}
        </span>
      )}
      {createdBy.goroutine != null && (
        <>
          {" "}
          <span className="muted">in</span>{" "}
          <Link
            to="/crashes/$id/goroutines/$gid"
            params={{ id: crash, gid: String(createdBy.goroutine) }}
            hash=""
          >
            goroutine {createdBy.goroutine}
          </Link>
        </>
      )}
    </p>
  );
}
