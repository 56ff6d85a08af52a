import { codeSpans } from "../lib/code-spans";
import { splitFunction } from "../lib/frames";
import { nameParts, shortenArguments } from "../lib/type-args";

/** A sentence whose functions, positions and addresses are set as code, long type arguments in short. */
export function Prose({ text }: { text: string }) {
  return codeSpans(text).map((span, index) => {
    if (!span.code) return <span key={index}>{span.text}</span>;
    const short = shortenArguments(span.text);
    return (
      <code key={index} title={short === span.text ? undefined : span.text}>
        {breakable(short)}
      </code>
    );
  });
}

interface FunctionNameProps {
  name: string;
  /** Only the last part of the package. */
  short?: boolean;
  /** With all of its type arguments, held back. */
  whole?: boolean;
}

/** A function's name with its package held back. */
export function FunctionName({ name, short = false, whole = false }: FunctionNameProps) {
  const { path, rest } = splitFunction(name);
  const slash = path.lastIndexOf("/") + 1;
  const shown = whole ? rest : shortenArguments(rest);
  const cut = (short && slash > 0) || shown !== rest;
  return (
    <span className="function" title={cut ? name : undefined}>
      {path === "" ? null : (
        <span className="package">
          {short ? null : breakable(path.slice(0, slash))}
          {path.slice(slash)}.
        </span>
      )}
      <wbr />
      <span className="name">
        {nameParts(shown).map((part, index) => (
          <span key={index} className={part.argument ? "type-argument" : undefined}>
            {breakable(part.text)}
          </span>
        ))}
      </span>
    </span>
  );
}

/** Long names may break after their slashes, commas and dots, but not inside `...`. */
export function breakable(name: string) {
  const parts = name.split(/(?<=[/,]|(?<!\.)\.(?!\.))/);
  return parts.map((part, index) => (
    <span key={index}>
      {part}
      {index < parts.length - 1 ? <wbr /> : null}
    </span>
  ));
}
