// What a file is, by its first bytes, so that people can drop everything at once.
import type { EvidenceKind } from "../api/types";

export interface Guess {
  kind: EvidenceKind;
  encoding?: "gzip" | "zstd";
}

/** Bytes that [guessKind] looks at. */
export const HEAD_BYTES = 512;

const ET_CORE = 4;

export function guessKind(head: Uint8Array, name: string): Guess {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x7f, 0x45, 0x4c, 0x46)) {
    const bigEndian = head[5] === 2;
    const type = bigEndian ? head[17] : head[16];
    return { kind: type === ET_CORE ? "core" : "binary" };
  }
  // Archives, and what no content encoding stands for, are unpacked where they are analysed.
  const archive = starts(0x50, 0x4b, 0x03, 0x04) || tar(head) || /\.(tar\.\w+|tgz|tzst|txz)$/i.test(name);
  const xz = starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00);
  const lz4 = starts(0x04, 0x22, 0x4d, 0x18);
  if (archive || xz || lz4) return { kind: "core" };
  const compressed = starts(0x1f, 0x8b) ? "gzip" : starts(0x28, 0xb5, 0x2f, 0xfd) ? "zstd" : undefined;
  if (compressed === "gzip" && /\.(pb\.gz|pprof)$/i.test(name)) return { kind: "profile" };
  if (compressed) {
    const inner = name.replace(/\.(gz|zst|zstd)$/i, "");
    const kind = /\.(txt|log|stderr)$/i.test(inner) ? "text" : /core/i.test(inner) ? "core" : "binary";
    return { kind, encoding: compressed };
  }
  const text = new TextDecoder().decode(head);
  if (/^go 1\.\d+ trace/.test(text)) return { kind: "trace" };
  if (/^=+\s*(WARNING: DATA RACE)?/.test(text)) return { kind: "race" };
  return { kind: "text" };
}

/** A tar archive says so in the header of its first member. */
function tar(head: Uint8Array): boolean {
  return new TextDecoder().decode(head.subarray(257, 262)) === "ustar";
}
