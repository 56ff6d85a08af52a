// Places in the text of a query: the server counts bytes of UTF-8, the browser units of UTF-16.

const encoder = new TextEncoder();

/** The byte at which the unit `index` of a text begins. */
export function byteOf(text: string, index: number): number {
  return encoder.encode(text.slice(0, index)).length;
}

/** The unit of a text at which byte `byte` lies; bytes inside a letter count as its start. */
export function indexOf(text: string, byte: number): number {
  let passed = 0;
  let index = 0;
  for (const letter of text) {
    passed += encoder.encode(letter).length;
    if (passed > byte) return index;
    index += letter.length;
  }
  return index;
}

export interface Place {
  before: string;
  /** What is wrong; empty where something is missing between two letters. */
  at: string;
  after: string;
}

/** A text in three parts around what a problem is about. */
export function placeOf(text: string, position: number, length: number): Place {
  const start = indexOf(text, position);
  const end = Math.max(start, indexOf(text, position + length));
  return { before: text.slice(0, start), at: text.slice(start, end), after: text.slice(end) };
}

export interface Completed {
  text: string;
  /** Where writing goes on. */
  cursor: number;
  /** More belongs to what was put in: the value of a field. */
  unfinished: boolean;
}

/** A query with a completion put in at its place. */
export function completed(
  text: string,
  { position, length }: { position: number; length: number },
  insert: string,
): Completed {
  const { before, after } = placeOf(text, position, length);
  const unfinished = insert.endsWith(":") || insert.endsWith(".");
  const space = unfinished || after.startsWith(" ") ? "" : " ";
  return {
    text: `${before}${insert}${space}${after}`,
    cursor: before.length + insert.length + (unfinished ? 0 : 1),
    unfinished,
  };
}

/**
 * Where a completion goes that was asked for a little earlier, for `q`: more of its word may be typed by
 * now. `null` where it does not fit any more.
 */
export function stillAt(
  { q, position, length }: { q: string; position: number; length: number },
  item: string,
  text: string,
  cursor: number,
): { position: number; length: number } | null {
  if (q === text) return { position, length };
  const start = indexOf(q, position);
  if (text.slice(0, start) !== q.slice(0, start) || cursor < start) return null;
  if (!item.toLowerCase().includes(text.slice(start, cursor).toLowerCase())) return null;
  return { position, length: byteOf(text, cursor) - position };
}
