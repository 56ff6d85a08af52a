import { expect, it } from "vitest";
import type { Crash, Frame, Report } from "../api/types";
import { incidentText } from "./incident";

function frame(name: string, file: string | null, line: number | null, args: string | null): Frame {
  return { function: name, file, line, args, kind: "go", inlined: false, trust: "pclntab", locals: [] };
}

const goroutine = {
  id: 25,
  status: "running",
  labels: {},
  locked_to_thread: false,
  system: false,
  frames: [frame("main.(*stats).record", "/src/main.go", 16, "0x1"), frame("net.x", null, null, null)],
  truncated: false,
};
const user = (id: number, more: object) => ({
  goroutine: id,
  function: "runtime.mapassign_faststr",
  operation: "write",
  certain: true,
  noticed: false,
  ...more,
});
const report = {
  binary: { go_version: "go1.24.11", module: "example.com/shop" },
  verdict: {
    title: "Concurrent map writes in main.(*stats).record (main.go:16)",
    summary: "Two goroutines wrote.",
    confidence: "certain",
    class: "concurrent-map-write",
    goroutine: 25,
    other_goroutines: [31],
    map: "0xc000112210",
    evidence: [{ kind: "fatal", text: "fatal error: concurrent map writes", ref: "goroutine 25" }],
    hints: [],
    fixes: ["Guard the map."],
  },
  panic: { kind: "fatal", chain: [], message: "fatal error: concurrent map writes" },
  goroutines: [goroutine],
  goroutine_count: 1,
  goroutine_clusters: [
    { signature: "s", status: "running", count: 1, example_ids: [25], frames: goroutine.frames },
  ],
  maps: [
    {
      address: "0xc000112210",
      type: "map[string]int",
      state: "writing",
      count: 512,
      roots: [{ variable: "s.byPath", kind: "argument", certain: true, goroutine: 25, frame: 3 }],
      users: [
        user(25, { noticed: true, caller: "main.(*stats).record (main.go:16)" }),
        user(31, { certain: false }),
      ],
    },
  ],
  diagnostics: [{ stage: "values", severity: "warning", text: "One value is cut." }],
} as unknown as Report;
const crash = { service: "billing", hostname: null, received_at: "2026-11-21T09:13:36Z" } as unknown as Crash;

it("is a text that can be pasted into an incident", () => {
  expect(incidentText(crash, report, "http://panicle/crashes/1"))
    .toBe(`Concurrent map writes in main.(*stats).record (main.go:16)
http://panicle/crashes/1
service billing · go1.24.11 · received 21 Nov 2026, 09:13:36 UTC

Certain. Two goroutines wrote.

Map s.byPath, map[string]int, 512 entries:
- goroutine 25, which noticed, was writing in main.(*stats).record (main.go:16) (certain)
- goroutine 31 was writing in runtime.mapassign_faststr (likely)

- fatal error: concurrent map writes [goroutine 25]

fatal error: concurrent map writes

Goroutine 25 [running], at fault:
> main.(*stats).record(0x1)
      /src/main.go:16
  net.x(?)
      unknown file

1 goroutine on 1 different stack:
  1 × [running] main.(*stats).record (main.go:16)

What would mend it:
- Guard the map.

Missing or doubtful:
- One value is cut.
`);
});
