import type { Frame } from "../api/types";
import { Unknown } from "./Unknown";

/** Variables with their types; those that the compiler did not keep are named as such. */
export function Locals({ frame }: { frame: Frame }) {
  const kept = frame.locals.filter((local) => local.value != null);
  const lost = frame.locals.filter((local) => local.value == null);
  return (
    <div className="locals">
      {kept.length > 0 && (
        <dl>
          {kept.map((local) => (
            <div key={local.name}>
              <dt>
                <code className="local-name">{local.name}</code>{" "}
                <code className="local-type">{local.type}</code>
              </dt>
              <dd>
                <code>{local.value}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {lost.length > 0 && (
        <p className="lost">
          <code>{lost.map((local) => local.name).join(", ")}</code>:{" "}
          <Unknown why="the compiler kept no value at this point" />
        </p>
      )}
      <p className="frame-addresses">
        <span className="muted">pc</span> <code>{frame.pc ?? "unknown"}</code>{" "}
        <span className="muted">sp</span> <code>{frame.sp ?? "unknown"}</code>
      </p>
    </div>
  );
}
