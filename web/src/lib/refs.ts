// References of evidence and diagnostics: `goroutine 7 frame 2`, `map 0xc000012345`, an address, a line of
// a text.

export type Reference =
  | { kind: "goroutine"; goroutine: number; frame: number | null }
  | { kind: "map"; address: string }
  | { kind: "address"; address: string }
  | { kind: "other"; text: string };

export function parseReference(text: string): Reference {
  const goroutine = /^goroutine (\d+)(?: frame (\d+))?$/.exec(text);
  if (goroutine) {
    const frame = goroutine[2];
    return {
      kind: "goroutine",
      goroutine: Number(goroutine[1]),
      frame: frame === undefined ? null : Number(frame),
    };
  }
  const map = /^map (0x[0-9a-f]+)$/i.exec(text);
  if (map?.[1] !== undefined) return { kind: "map", address: map[1] };
  if (/^0x[0-9a-f]+$/i.test(text)) return { kind: "address", address: text };
  return { kind: "other", text };
}

/** The id of a frame's element on a page that shows one stack. */
export function frameAnchor(index: number): string {
  return `frame-${index}`;
}

/** The frame that the fragment of a URL names. */
export function frameOfHash(hash: string): number | null {
  const match = /^#?frame-(\d+)$/.exec(hash);
  return match ? Number(match[1]) : null;
}
