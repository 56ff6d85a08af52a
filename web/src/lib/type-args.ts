// Type arguments as the compiler spells them are often longer than all else that is in a name.

/** Type arguments that are shown as they are. */
const SHORT = 24;

export interface NamePart {
  text: string;
  /** What stands between the brackets of a generic function or type. */
  argument: boolean;
}

/** A name in parts: `main.(*Cache[`, `go.shape.string`, `]).Put`. Only outer brackets count. */
export function nameParts(name: string): NamePart[] {
  const parts: NamePart[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < name.length; at += 1) {
    const char = name.charAt(at);
    // `[]byte` and `map[string]int` are types of their own.
    const opens = char === "[" && (depth > 0 || isArgument(name, at));
    if (opens) {
      if (depth === 0) {
        parts.push({ text: name.slice(start, at + 1), argument: false });
        start = at + 1;
      }
      depth += 1;
    } else if (char === "]" && depth > 0) {
      depth -= 1;
      if (depth === 0) {
        parts.push({ text: name.slice(start, at), argument: true });
        start = at;
      }
    }
  }
  parts.push({ text: name.slice(start), argument: false });
  return parts.filter(({ text }) => text !== "");
}

function isArgument(name: string, at: number): boolean {
  return /\w$/.test(name.slice(Math.max(0, at - 4), at)) && name.slice(at - 3, at) !== "map";
}

/** The name with long type arguments as `…`, the way tracebacks of Go shorten them. */
export function shortenArguments(name: string): string {
  return nameParts(name)
    .map(({ text, argument }) => (argument && text.length > SHORT ? "…" : text))
    .join("");
}
