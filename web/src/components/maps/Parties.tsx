import { Link } from "@tanstack/react-router";
import type { MapUser } from "../../api/types";
import { OPERATION_WORDS } from "../../lib/map-words";
import { frameAnchor } from "../../lib/refs";
import { FunctionName, Prose } from "../Code";
import { SureMark } from "./marks";

interface PartiesProps {
  users: readonly MapUser[];
  crash: string;
  /** There was a conflict, which one of them noticed. */
  conflict?: boolean;
}

/** Goroutines that were inside an operation on a map, the surest first. */
export function Parties({ users, crash, conflict = true }: PartiesProps) {
  return (
    <ol className="parties">
      {users.map((user) => (
        <li key={`${user.goroutine}-${user.frame}`}>
          <p className="party-head">
            <strong>
              <Link to="/crashes/$id/goroutines/$gid" params={{ id: crash, gid: String(user.goroutine) }}>
                Goroutine {user.goroutine}
              </Link>
            </strong>{" "}
            {conflict && user.noticed && <span className="mark noticed">noticed</span>}{" "}
            <span className="party-what">
              was {OPERATION_WORDS[user.operation]} in <Place user={user} crash={crash} />
            </span>{" "}
            <SureMark certain={user.certain} />
          </p>
          <p className="party-why">
            <Prose text={user.because} />
          </p>
        </li>
      ))}
    </ol>
  );
}

/** The frame that asked for the operation, else the operation's own. */
function Place({ user, crash }: { user: MapUser; crash: string }) {
  const caller = /^(.*) \(([^()]+)\)$/.exec(user.caller ?? "");
  return (
    <Link
      to="/crashes/$id/goroutines/$gid"
      params={{ id: crash, gid: String(user.goroutine) }}
      hash={frameAnchor(user.caller_frame ?? user.frame)}
      className="party-place"
    >
      {caller ? (
        <>
          <FunctionName name={caller[1] ?? ""} /> <span className="position">{caller[2]}</span>
        </>
      ) : (
        <FunctionName name={user.caller ?? user.function} />
      )}
    </Link>
  );
}
