// The files of a crash that is being sent.
import type { EvidenceKind, NewCrash } from "../api/types";
import type { Guess } from "./evidence-file";

export interface Item {
  key: number;
  file: File;
  kind: EvidenceKind;
  encoding: "gzip" | "zstd" | undefined;
  sent: number;
  /** Its id, once the server has acknowledged it. */
  stored: string | null;
  error: unknown;
}

export type Change =
  | { do: "add"; file: File; guess: Guess }
  | { do: "remove"; key: number }
  | { do: "kind"; key: number; kind: EvidenceKind }
  | { do: "sent"; key: number; sent: number }
  | { do: "stored"; key: number; id: string }
  | { do: "failed"; key: number; error: unknown };

export function itemsReducer(items: Item[], change: Change): Item[] {
  if (change.do === "add") {
    const key = Math.max(0, ...items.map((item) => item.key)) + 1;
    const { kind, encoding } = change.guess;
    return [...items, { key, file: change.file, kind, encoding, sent: 0, stored: null, error: null }];
  }
  if (change.do === "remove") return items.filter((item) => item.key !== change.key);
  return items.map((item) => (item.key === change.key ? changed(item, change) : item));
}

function changed(item: Item, change: Exclude<Change, { do: "add" | "remove" }>): Item {
  switch (change.do) {
    case "kind":
      // What was acknowledged was acknowledged as another kind.
      return { ...item, kind: change.kind, sent: 0, stored: null, error: null };
    case "sent":
      return { ...item, sent: change.sent, error: null };
    case "stored":
      return { ...item, stored: change.id, sent: item.file.size, error: null };
    case "failed":
      return { ...item, error: change.error, sent: 0 };
  }
}

/** Why these cannot be sent, or null if they can. */
export function sendable(items: readonly Item[]): string | null {
  if (items.length === 0) return "Nothing is chosen yet.";
  if (items.every((item) => item.kind === "binary")) {
    return "An executable alone is no crash: add its core, or what it printed.";
  }
  if (items.filter((item) => item.kind === "core").length > 1) {
    return "Each core is a crash of its own: send them one by one.";
  }
  return null;
}

export function newCrash(
  ids: readonly { kind: EvidenceKind; id: string }[],
  service: string,
  hostname: string,
): NewCrash {
  const of = (kind: EvidenceKind) => ids.filter((item) => item.kind === kind).map((item) => item.id);
  const [core] = of("core");
  return {
    ...(core === undefined ? {} : { core }),
    binaries: of("binary"),
    texts: of("text"),
    traces: of("trace"),
    profiles: of("profile"),
    races: of("race"),
    ...(service.trim() === "" ? {} : { service: service.trim() }),
    ...(hostname.trim() === "" ? {} : { hostname: hostname.trim() }),
  };
}
