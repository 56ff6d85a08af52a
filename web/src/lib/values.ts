// Values of expressions, as the API answers them, as a tree that can be drawn.

/** Numbers that JavaScript would round are kept as they were written. */
interface Long {
  $integer: string;
}

/** JSON whose integers beyond 2^53 keep all their digits. */
export function parseExactly(json: string): unknown {
  const kept = json.replace(/"(?:[^"\\]|\\.)*"|(?<![\w.+-])-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : `{"$integer":"${token}"}`,
  );
  return JSON.parse(kept);
}

export interface Leaf {
  kind: "leaf";
  text: string;
  /** What is not there, or not a value: `nil`, `unknown`. */
  faint: boolean;
}
export interface Branch {
  kind: "branch";
  /** What it is in a few words: `3 entries`, `2 fields`. */
  summary: string;
  children: { name: string; node: Node }[];
  /** Said after the children: that there are more, and what is wrong. */
  rest: string | null;
}
export type Node = Leaf | Branch;

const leaf = (text: string, faint = false): Leaf => ({ kind: "leaf", text, faint });

/** The shapes of `value` in the API's answer; an object of no such shape is a struct. */
export function tree(value: unknown): Node {
  if (value === null || value === undefined) return leaf("nil", true);
  if (typeof value === "string") return leaf(JSON.stringify(value));
  if (typeof value === "number" || typeof value === "boolean") return leaf(String(value));
  if (typeof value !== "object" || Array.isArray(value)) return leaf("unknown", true);
  const object = value as Record<string, unknown>;
  return special(object) ?? struct(object);
}

function struct(fields: Record<string, unknown>): Branch {
  const names = Object.entries(fields);
  return {
    kind: "branch",
    summary: names.length === 0 ? "no fields" : counted(names.length, "field", "fields"),
    children: names.map(([name, part]) => ({ name, node: tree(part) })),
    rest: null,
  };
}

function special(object: Record<string, unknown>): Node | null {
  const keys = Object.keys(object);
  const only = (...names: string[]) => keys.every((key) => names.includes(key));
  const { len, address, error } = object;
  if (isLong(object)) return leaf(object.$integer);
  if (typeof error === "string" && only("error")) return leaf(`unknown (${error})`, true);
  if (typeof object.type === "string" && "value" in object && only("type", "value")) {
    return ofInterface(object.type, tree(object.value));
  }
  // A struct may have a field of that name; its text is hardly ever an address.
  if (typeof address === "string" && /^0x[0-9a-f]+$/.test(address)) {
    if (only("address", "target", "seen")) return pointer(address, object);
    if (typeof object.name === "string" && only("address", "name"))
      return leaf(`${object.name} at ${address}`);
    if ("closed" in object && only("address", "len", "cap", "closed")) return channel(address, object);
  }
  if (typeof len !== "number") return null;
  const { entries, elements, text, hex, cap } = object;
  if (Array.isArray(entries) && only("len", "address", "entries", "truncated", "problems"))
    return ofMap(entries, len, Array.isArray(object.problems) ? object.problems : []);
  if (Array.isArray(elements) && only("len", "cap", "address", "elements", "truncated")) {
    return list(elements, len, typeof cap === "number" && cap !== len ? cap : null);
  }
  if (typeof text === "string" && only("len", "text", "truncated"))
    return leaf(`${JSON.stringify(text)}… (${counted(len, "byte", "bytes")})`);
  if (typeof hex === "string" && only("len", "hex", "truncated"))
    return leaf(
      `bytes ${hex}${hex.length < 2 * len ? "…" : ""} (${counted(len, "byte", "bytes")}, no UTF-8)`,
    );
  return null;
}

function ofInterface(type: string, inside: Node): Node {
  if (inside.kind === "branch") return { ...inside, summary: `${type}; ${inside.summary}` };
  return leaf(`${type}(${inside.text})`, inside.faint);
}

function pointer(address: string, { target, seen }: Record<string, unknown>): Node {
  if (seen === true) return leaf(`${address}, which is shown above`);
  if (target === undefined) return leaf(`${address}, not followed`);
  const inside = tree(target);
  if (inside.kind === "branch") return { ...inside, summary: `at ${address}; ${inside.summary}` };
  return leaf(`${address} → ${inside.text}`, inside.faint);
}

function channel(address: string, { len, cap, closed }: Record<string, unknown>): Leaf {
  const room = cap === 0 ? "unbuffered" : `${String(len)} of ${String(cap)} in its buffer`;
  return leaf(`channel ${address}, ${room}${closed === true ? ", closed" : ""}`);
}

function ofMap(entries: unknown[], length: number, problems: unknown[]): Branch {
  const unread = restOf(length, entries.length, "entry", "entries");
  const rest = [...problems.map(String), ...(unread === null ? [] : [unread])];
  return {
    kind: "branch",
    summary: counted(length, "entry", "entries"),
    children: entries.map((entry) => {
      const { key, value } = (entry ?? {}) as { key?: unknown; value?: unknown };
      return { name: inline(tree(key)), node: tree(value) };
    }),
    rest: rest.length > 0 ? rest.join(" ") : null,
  };
}

function list(elements: unknown[], length: number, cap: number | null): Branch {
  return {
    kind: "branch",
    summary: `${counted(length, "element", "elements")}${cap === null ? "" : `, room for ${cap.toLocaleString("en")}`}`,
    children: elements.map((part, index) => ({ name: String(index), node: tree(part) })),
    rest: restOf(length, elements.length, "element", "elements"),
  };
}

function restOf(length: number, shown: number, one: string, many: string): string | null {
  return length > shown ? `${counted(length - shown, `more ${one}`, `more ${many}`)} not read` : null;
}

function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function isLong(value: object): value is Long {
  return "$integer" in value && typeof value.$integer === "string";
}

/** A node on one line, as far as these many letters; what is longer ends in an ellipsis. */
export function inline(node: Node, limit = 80): string {
  if (node.kind === "leaf") return node.text.length > limit ? `${node.text.slice(0, limit)}…` : node.text;
  let line = "{";
  for (const [at, { name, node: part }] of node.children.entries()) {
    line += `${at === 0 ? "" : ", "}${name}: `;
    if (line.length > limit) return `${line.slice(0, limit)}…`;
    line += inline(part, Math.max(0, limit - line.length));
  }
  return line.length >= limit ? `${line.slice(0, limit)}…` : `${line}}`;
}
