// Expressions that people ask about: where an error is, and what was asked before.

export interface Marked {
  before: string;
  at: string;
  after: string;
}

/**
 * The text in three parts, around the byte that an error is about; bytes of UTF-8 are what the server
 * counts. Behind the end, and in the middle of a letter, the nearest letter counts.
 */
export function markedAt(text: string, byte: number): Marked {
  const encoder = new TextEncoder();
  let passed = 0;
  let start = 0;
  for (const letter of text) {
    const length = encoder.encode(letter).length;
    if (passed + length > byte) {
      return { before: text.slice(0, start), at: letter, after: text.slice(start + letter.length) };
    }
    passed += length;
    start += letter.length;
  }
  return { before: text, at: "", after: "" };
}

/** Where the mark stands, counted in letters as they are shown. */
export function columnOf({ before }: Marked): number {
  return Array.from(before).length + 1;
}

const KEPT = 50;

/** The history with one more; what was asked before moves to the end. */
export function remembered(history: readonly string[], expression: string): string[] {
  return [...history.filter((one) => one !== expression), expression].slice(-KEPT);
}

/** Up goes to the one before, down to the one after; null is what is being written. */
export function recalled(
  history: readonly string[],
  at: number | null,
  direction: "up" | "down",
): number | null {
  if (direction === "up") {
    if (history.length === 0) return null;
    return at === null ? history.length - 1 : Math.max(0, at - 1);
  }
  return at === null || at >= history.length - 1 ? null : at + 1;
}

const STORED = "panicle-expressions";

/** What was asked in this session; storage may be closed to pages, and then there is none. */
export function storedHistory(): string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function storeHistory(history: readonly string[]): void {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(history));
  } catch {
    // The history of this page remains.
  }
}

const ERROR_WORDS: Record<string, string> = {
  syntax: "This is not an expression",
  "unknown-name": "There is no such name here",
  type: "The types do not fit",
  "nil-dereference": "It goes through nil",
  "out-of-range": "It is out of range",
  "no-such-key": "The map has no such key",
  unreadable: "Memory there cannot be read",
  "not-kept": "Its value was not kept",
  unsupported: "This cannot be evaluated here",
  limit: "The answer would be too large",
};

export function errorWords(kind: string | null | undefined): string {
  return (kind == null ? undefined : ERROR_WORDS[kind]) ?? "It has no value";
}
