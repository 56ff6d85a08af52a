// Finding what is code in a sentence, so that it can be set as code.

export interface Span {
  text: string;
  code: boolean;
}

/** Type arguments, which hold spaces, and brackets of their own three deep. */
const ARGUMENTS = String.raw`(?:\[(?:[^[\]\n]|\[(?:[^[\]\n]|\[[^[\]\n]*\])*\])*\])`;

const CODE = new RegExp(
  [
    "`[^`]+`",
    // main.go:16
    String.raw`(?<![\w./-])[\w./-]+\.(?:go|s|c|h):\d+`,
    // Paths of files.
    String.raw`(?<![\w./-])(?:/[\w@+.~-]+){2,}(?<![.])`,
    // Functions as tracebacks spell them: main.(*Cache).Put, net/http.(*conn).serve, main.run.func1
    String.raw`(?<![\w./-])\*?(?:[\w%~-]+(?:\.[\w%~-]+)*\/)*[a-z][\w%-]*\.(?:\(\*?\w+${ARGUMENTS}?\)\.)?\w+${ARGUMENTS}?(?:\.(?:func\d+|gowrap\d+|\d+|\w+)${ARGUMENTS}?)*(?:-fm)?`,
    // Types of maps: map[string]*main.User
    String.raw`\bmap\[[^\]\s]+\](?:\*|\[\w*\]|[\w./])*[\w\]]`,
    // Settings in the environment.
    String.raw`\b[A-Z][A-Z_]{2,}=\S*\w`,
    String.raw`\b0x[0-9a-f]+\b`,
  ].join("|"),
  "g",
);

/** Words that look like a package and a name, and are not. */
const PROSE = /^(?:e\.g|i\.e)$/;

export function codeSpans(sentence: string): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of sentence.matchAll(CODE)) {
    if (PROSE.test(match[0])) continue;
    if (match.index > end) spans.push({ text: sentence.slice(end, match.index), code: false });
    const quoted = match[0].startsWith("`");
    spans.push({ text: quoted ? match[0].slice(1, -1) : match[0], code: true });
    end = match.index + match[0].length;
  }
  if (end < sentence.length) spans.push({ text: sentence.slice(end), code: false });
  return spans;
}
