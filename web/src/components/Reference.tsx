import { Link } from "@tanstack/react-router";
import { frameAnchor, parseReference } from "../lib/refs";
import { Copyable } from "./Copy";

interface ReferenceProps {
  text: string;
  crash: string;
  /** The goroutine whose stack is on this page. */
  shown: number | null | undefined;
}

/** Where a piece of evidence is from, as a link to it if it has a place here. */
export function Reference({ text, crash, shown }: ReferenceProps) {
  const reference = parseReference(text);
  if (reference.kind === "address") return <Copyable value={reference.address} what="the address" />;
  if (reference.kind === "map") {
    return (
      <Link
        to="/crashes/$id/maps/$address"
        params={{ id: crash, address: reference.address }}
        className="reference"
      >
        map <code>{reference.address}</code>
      </Link>
    );
  }
  if (reference.kind === "other") return <span className="muted">{reference.text}</span>;
  const { goroutine, frame } = reference;
  const words = frame === null ? `goroutine ${goroutine}` : `goroutine ${goroutine}, frame ${frame}`;
  if (goroutine === shown) {
    return (
      <Link to="." search={true} hash={frame === null ? "stack" : frameAnchor(frame)} className="reference">
        {words}
      </Link>
    );
  }
  return (
    <Link
      to="/crashes/$id/goroutines/$gid"
      params={{ id: crash, gid: String(goroutine) }}
      hash={frame === null ? "" : frameAnchor(frame)}
      className="reference"
    >
      {words}
    </Link>
  );
}
