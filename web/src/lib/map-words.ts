// What a map's state, flags and header mean, for people.
import type {
  GoMap,
  HmapHeader,
  MapImplementation,
  MapOperation,
  MapRoot,
  MapState,
  SlotState,
  SwissHeader,
  SyncMapHeader,
} from "../api/types";
import { bytes, count, counted } from "./format";

export const MAP_STATE_WORDS: Record<MapState, string> = {
  nil: "Nil",
  empty: "Empty",
  normal: "Normal",
  growing: "Growing",
  writing: "Being written to",
  unknown: "Unknown",
};

export const IMPLEMENTATION_WORDS: Record<MapImplementation, string> = {
  hmap: "buckets of eight with overflow chains, as in Go up to 1.23",
  swiss: "groups of eight with control words, as in Go from 1.24",
  "sync-map": "a sync.Map, which may be used by many goroutines at once",
};

/** As it follows `goroutine 7 was`. */
export const OPERATION_WORDS: Record<MapOperation, string> = {
  read: "reading",
  write: "writing",
  delete: "deleting",
  iterate: "iterating",
  clear: "clearing",
};

export const ROOT_WORDS: Record<MapRoot["kind"], string> = {
  argument: "argument",
  local: "local variable",
  global: "package variable",
  operand: "operand of a map operation",
  stack: "word on the stack",
  register: "register",
};

/** With the article before it. */
export function rootWords(kind: MapRoot["kind"]): string {
  return `${/^[aeiou]/.test(ROOT_WORDS[kind]) ? "an" : "a"} ${ROOT_WORDS[kind]}`;
}

export const SLOT_WORDS: Record<SlotState, { label: string; meaning: string }> = {
  full: { label: "full", meaning: "holds an entry" },
  empty: { label: "empty", meaning: "holds nothing, and a search ends here" },
  deleted: { label: "deleted", meaning: "held an entry once; a search goes on behind it" },
  evacuated: { label: "evacuated", meaning: "its entry moved to the new buckets" },
};

const FLAG_WORDS: Record<string, string> = {
  iterator: "An iteration over the buckets may be under way.",
  oldIterator: "An iteration over the old buckets may be under way.",
  hashWriting:
    "A goroutine is inside a write. Every writer turns it over, so that two at once can leave it off.",
  sameSizeGrow: "Entries move to as many buckets as before, which gets rid of overflow buckets.",
  writing: "A goroutine is inside a write. Every writer turns it over, so that two at once can leave it off.",
  tombstonePossible: "A deleted slot may still take up room in one of the tables.",
};

export function flagWords(flag: string): string {
  return FLAG_WORDS[flag] ?? "The runtime set it; what it means is not explained here.";
}

/** `map[string]int`, or that its type is not known. */
export function typeWords({ type }: Pick<GoMap, "type">): string {
  return type ?? "map of unknown type";
}

const KINDS: readonly MapRoot["kind"][] = ["global", "operand", "argument", "local", "stack", "register"];

/** What the source calls a map there, whether or not it can be asked for by that name. */
export function nameOf({ variable, called }: MapRoot): string | null {
  return variable ?? called ?? null;
}

/**
 * The path by which people know it: what those who were at it call it, else the surest and most telling of
 * its holders' names.
 */
export function bestPath({ roots, users }: Pick<GoMap, "roots" | "users">): string | null {
  const atWork = ({ goroutine, frame }: MapRoot) =>
    users.some((user) => user.goroutine === goroutine && user.caller_frame === frame);
  const rank = (root: MapRoot) =>
    (root.certain ? 0 : 100) +
    (atWork(root) ? 0 : 10) +
    KINDS.indexOf(root.kind) +
    (nameOf(root)?.includes(".") ? 0 : 0.5);
  const named = roots.filter((root) => (nameOf(root) ?? "") !== "");
  const [best] = named.toSorted((a, b) => rank(a) - rank(b));
  return best === undefined ? null : nameOf(best);
}

/** Its name where it has one, else its type. */
export function mapName(map: Pick<GoMap, "roots" | "users" | "type">): string {
  return bestPath(map) ?? typeWords(map);
}

export function entriesWords(entries: number | null | undefined): string {
  return entries == null ? "an unknown number of entries" : counted(entries, "entry", "entries");
}

const CHANGES: ReadonlySet<MapOperation> = new Set(["write", "delete", "clear"]);

/** One sentence about the state that it was in. */
export function stateSentence({ state, allocated, header, count: entries, users }: GoMap): string {
  switch (state) {
    case "nil":
      return "It is nil: it was declared and never made. Reads of it find nothing; a write panics.";
    case "empty":
      if (allocated === false)
        return "It is empty, and nothing is allocated: nothing was ever written to it.";
      if (allocated === true)
        return "It is empty, and has room: it was made with a size, or entries were deleted.";
      return "It is empty.";
    case "growing": {
      const growth = header != null && "growth" in header ? header.growth : null;
      if (growth == null) return "Its entries are moving to larger or fresh buckets.";
      return `Its entries are moving to ${growth.same_size ? "fresh" : "twice as many"} buckets: ${count(growth.evacuated)} of ${count(growth.old_buckets)} old ones are done.`;
    }
    case "writing":
      return "A goroutine is inside a write to it, as its flag says.";
    case "unknown":
      return "Its header could not be read.";
    case "normal":
      if (users.some(({ operation }) => CHANGES.has(operation)))
        return "Its flag shows no write: each writer turns it over, so that two at once can leave it off.";
      return entries === 0 ? "Nothing was under way." : "No write and no growth was under way.";
  }
}

/** A part of the header: its name in the runtime, its value and what it means. */
export interface HeaderFact {
  name: string;
  value: string | null;
  meaning: string;
  /** The value is an address. */
  address?: true;
}

export function headerKind(map: GoMap): "hmap" | "swiss" | "sync-map" | null {
  const { header } = map;
  if (header == null) return null;
  if ("form" in header) return "sync-map";
  return "bucket_count" in header ? "hmap" : "swiss";
}

export function headerFacts(map: GoMap): HeaderFact[] {
  switch (headerKind(map)) {
    case "hmap":
      return hmapFacts(map, map.header as HmapHeader);
    case "swiss":
      return swissFacts(map.header as SwissHeader);
    case "sync-map":
      return syncFacts(map.header as SyncMapHeader);
    case null:
      return [];
  }
}

function hmapFacts({ count: entries }: GoMap, header: HmapHeader): HeaderFact[] {
  const { growth } = header;
  return [
    { name: "count", value: entries == null ? null : count(entries), meaning: "entries" },
    {
      name: "B",
      value: String(header.b),
      meaning: `two to the power of ${header.b} makes ${counted(header.bucket_count, "bucket")}`,
    },
    {
      name: "load factor",
      value: header.load_factor.toFixed(2),
      meaning: "entries for each bucket on average; it grows at 6 to 6.5, eight fit",
    },
    {
      name: "noverflow",
      value: count(header.noverflow),
      meaning: header.b < 16 ? "overflow buckets" : "overflow buckets, as an estimate: the map is large",
    },
    {
      name: "nevacuate",
      value: count(header.nevacuate),
      meaning: growth == null ? "no growth is under way" : "old buckets below this number have moved",
    },
    { name: "hash0", value: header.hash0, meaning: "seed of its hashes", address: true },
    { name: "buckets", value: header.buckets, meaning: "where the buckets are", address: true },
    {
      name: "oldbuckets",
      value: header.oldbuckets,
      meaning: growth == null ? "nil: it is not growing" : "the buckets that entries move out of",
      address: true,
    },
    { name: "extra", value: header.extra, meaning: "list of overflow buckets, if any", address: true },
  ];
}

function swissFacts(header: SwissHeader): HeaderFact[] {
  const facts: HeaderFact[] = [
    { name: "used", value: count(header.used), meaning: "entries" },
    {
      name: "writing",
      value: String(header.writing),
      meaning:
        header.writing === 0
          ? "no write is under way, or two at once turned it over twice"
          : "a goroutine is inside a write",
    },
    {
      name: "dirLen",
      value: count(header.dir_len),
      meaning: header.small
        ? "a small map: one group of eight slots, and no tables"
        : "places in the directory, which lead to tables",
    },
  ];
  if (!header.small) {
    facts.push(
      {
        name: "globalDepth",
        value: String(header.global_depth),
        meaning: "bits of the hash that choose a place in the directory",
      },
      { name: "globalShift", value: String(header.global_shift), meaning: "bits that this shifts away" },
      {
        name: "tables",
        value: header.table_count == null ? null : count(header.table_count),
        meaning: "each grows by itself, and is split when it is full at 1,024 slots",
      },
      {
        name: "tombstones",
        value: header.tombstones == null ? null : count(header.tombstones),
        meaning: "deleted slots that still take up room",
      },
    );
  }
  if (header.tombstone_possible != null) {
    facts.push({
      name: "tombstonePossible",
      value: header.tombstone_possible ? "true" : "false",
      meaning: header.tombstone_possible ? "a table may have deleted slots" : "no table has a deleted slot",
    });
  }
  if (header.clear_seq != null) {
    facts.push({ name: "clearSeq", value: count(header.clear_seq), meaning: "times that it was cleared" });
  }
  facts.push(
    { name: "seed", value: header.seed, meaning: "seed of its hashes", address: true },
    {
      name: "dirPtr",
      value: header.dir_ptr,
      meaning: header.small ? "where the one group is" : "where the directory is",
      address: true,
    },
  );
  return facts;
}

const FORM_WORDS: Record<string, string> = {
  "read-dirty": "a read-only map and a dirty one beside it, as in Go up to 1.23",
  "hash-trie": "a trie of hashes, as in Go from 1.24",
};

function syncFacts(header: SyncMapHeader): HeaderFact[] {
  const facts: HeaderFact[] = [
    { name: "form", value: header.form, meaning: FORM_WORDS[header.form] ?? "a form not explained here" },
  ];
  if (header.form !== "read-dirty") return facts;
  facts.push(
    {
      name: "read",
      value: header.read == null ? null : count(header.read),
      meaning: "entries that are read without a lock",
    },
    {
      name: "dirty",
      value: header.dirty == null ? "nil" : count(header.dirty),
      meaning: header.dirty == null ? "no key was added since the last promotion" : "entries behind the lock",
    },
    {
      name: "amended",
      value: header.amended == null ? null : header.amended ? "true" : "false",
      meaning: "whether the dirty map has keys that the read-only one lacks",
    },
    {
      name: "misses",
      value: header.misses == null ? null : count(header.misses),
      meaning: "reads that had to take the lock; as many as dirty entries, and it is promoted",
    },
  );
  return facts;
}

/** `1,024 entries in room for 1,696, 41.0 KiB`. */
export function sizeWords({ count: entries, room, size_bytes: size }: GoMap): string {
  const words = entriesWords(entries);
  const roomy = room == null ? words : `${words}, with room for ${count(room)}`;
  return size == null ? roomy : `${roomy}; ${bytes(size)}`;
}
