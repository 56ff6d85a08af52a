import { describe, expect, it } from "vitest";
import { guessKind } from "./evidence-file";
import { type Item, itemsReducer, newCrash, sendable } from "./upload-items";

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new TextEncoder().encode(value);

function elf(type: number, bigEndian = false): Uint8Array {
  const head = new Uint8Array(32);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1]);
  head[bigEndian ? 17 : 16] = type;
  return head;
}

function tar(): Uint8Array {
  const head = new Uint8Array(512);
  head.set(text("ustar"), 257);
  return head;
}

describe("guessKind", () => {
  it.each([
    ["core", elf(4), "core.1", { kind: "core" }],
    ["big-endian core", elf(4, true), "dump", { kind: "core" }],
    ["executable", elf(2), "app", { kind: "binary" }],
    ["position-independent executable", elf(3), "app", { kind: "binary" }],
    ["packed core", bytes(0x28, 0xb5, 0x2f, 0xfd), "core.7.zst", { kind: "core", encoding: "zstd" }],
    ["packed log", bytes(0x1f, 0x8b, 8), "stderr.log.gz", { kind: "text", encoding: "gzip" }],
    ["zip", bytes(0x50, 0x4b, 3, 4), "crash.zip", { kind: "core" }],
    ["tar", tar(), "crash", { kind: "core" }],
    ["packed tar", bytes(0x1f, 0x8b, 8), "crash.tar.gz", { kind: "core" }],
    ["xz", bytes(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "core.xz", { kind: "core" }],
    ["lz4", bytes(0x04, 0x22, 0x4d, 0x18), "core.lz4", { kind: "core" }],
    ["profile", bytes(0x1f, 0x8b, 8), "heap.pb.gz", { kind: "profile" }],
    ["trace", text("go 1.26 trace\0\0\0"), "trace.out", { kind: "trace" }],
    ["race report", text("==================\nWARNING: DATA"), "race.txt", { kind: "race" }],
    ["crash text", text("panic: assignment to entry"), "stderr.txt", { kind: "text" }],
  ])("%s", (_, head, name, guess) => {
    expect(guessKind(head, name)).toEqual(guess);
  });
});

function item(kind: Item["kind"], key = 1): Item {
  return { key, file: new File(["abc"], "f"), kind, encoding: undefined, sent: 0, stored: null, error: null };
}

describe("items", () => {
  it("are added, changed and removed", () => {
    const file = new File(["abc"], "core");
    let items = itemsReducer([], { do: "add", file, guess: { kind: "core" } });
    items = itemsReducer(items, { do: "add", file, guess: { kind: "binary" } });
    expect(items.map(({ key, kind }) => [key, kind])).toEqual([
      [1, "core"],
      [2, "binary"],
    ]);
    items = itemsReducer(items, { do: "stored", key: 1, id: "ab" });
    expect(items[0]).toMatchObject({ stored: "ab", sent: 3 });
    // Another kind has to be sent again.
    items = itemsReducer(items, { do: "kind", key: 1, kind: "text" });
    expect(items[0]).toMatchObject({ kind: "text", stored: null, sent: 0 });
    expect(itemsReducer(items, { do: "remove", key: 1 }).map(({ key }) => key)).toEqual([2]);
  });

  it("are a crash only with more than executables, and with one core", () => {
    expect(sendable([])).not.toBeNull();
    expect(sendable([item("binary")])).not.toBeNull();
    expect(sendable([item("core"), item("core", 2)])).not.toBeNull();
    expect(sendable([item("core"), item("binary", 2)])).toBeNull();
    expect(sendable([item("text")])).toBeNull();
  });

  it("become what the server is asked to make", () => {
    const ids = [
      { kind: "core", id: "c" },
      { kind: "binary", id: "b" },
      { kind: "text", id: "t" },
    ] as const;
    expect(newCrash(ids, " shop ", "")).toEqual({
      core: "c",
      binaries: ["b"],
      texts: ["t"],
      traces: [],
      profiles: [],
      races: [],
      service: "shop",
    });
    expect(newCrash([{ kind: "text", id: "t" }], "", "")).not.toHaveProperty("core");
  });
});
