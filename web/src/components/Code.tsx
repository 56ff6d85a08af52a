import { codeSpans } from "../lib/code-spans";
import { splitFunction } from "../lib/frames";

/** A sentence whose functions, positions and addresses are set as code. */
export function Prose({ text }: { text: string }) {
  return codeSpans(text).map((span, index) =>
    span.code ? <code key={index}>{breakable(span.text)}</code> : <span key={index}>{span.text}</span>,
  );
}

/** A function's name with its package held back; in short, only the last part of the package. */
export function FunctionName({ name, short = false }: { name: string; short?: boolean }) {
  const { path, rest } = splitFunction(name);
  const slash = path.lastIndexOf("/") + 1;
  return (
    <span className="function" title={short && slash > 0 ? name : undefined}>
      {path === "" ? null : (
        <span className="package">
          {short ? null : breakable(path.slice(0, slash))}
          {path.slice(slash)}.
        </span>
      )}
      <wbr />
      <span className="name">{breakable(rest)}</span>
    </span>
  );
}

/** Long names may break after their slashes and dots. */
export function breakable(name: string) {
  const parts = name.split(/(?<=[/.,])/);
  return parts.map((part, index) => (
    <span key={index}>
      {part}
      {index < parts.length - 1 ? <wbr /> : null}
    </span>
  ));
}
