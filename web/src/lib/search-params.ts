// Reading what people, and other programs, put into the query part of a URL.

/** A text that says something, without the space around it. */
export function text(value: unknown): string | undefined {
  // The router reads `?q=7` as a number.
  const written = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (typeof written !== "string") return undefined;
  return written.trim() === "" ? undefined : written.trim();
}

/** The value if it is one of those known. */
export function oneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((candidate) => candidate === value);
}

/** A number that counts something: 0, 1, 2, … */
export function natural(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

export interface RulesSearch {
  /** The form for a new rule is open. */
  make?: boolean | undefined;
  /** What the new rule claims to begin with. */
  predicate?: string | undefined;
}

export function parseRulesSearch(search: Record<string, unknown>): RulesSearch {
  return {
    make: search.make === true || search.make === "true" ? true : undefined,
    predicate: text(search.predicate),
  };
}
