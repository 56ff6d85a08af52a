import { expect, it } from "vitest";
import { splitCommand } from "./commands";
import { crashHeadline, groupHeadline, sentence } from "./titles";
import { partsOf } from "./parts";
import { signalWords, stateWords } from "./words";

it("takes the class out of a group's title", () => {
  expect(groupHeadline("nil-map-write: assignment to entry in nil map at main.f", "Write to a nil map")).toBe(
    "Assignment to entry in nil map at main.f",
  );
  expect(groupHeadline("Something else", "Label")).toBe("Something else");
  expect(groupHeadline("", "Write to a nil map")).toBe("Write to a nil map");
});

it.each([
  ["go test -race ./...: names both sides", "go test -race ./...", "names both sides"],
  [
    "go test -race ./... (or one replica built so): names both",
    "go test -race ./...",
    "(or one replica built so): names both",
  ],
  [
    "curl -s 'http://HOST:PORT/x?debug=2' > g.txt, twice",
    "curl -s 'http://HOST:PORT/x?debug=2' > g.txt",
    "twice",
  ],
  ["Nothing more is needed: it is all there", null, "Nothing more is needed: it is all there"],
])("finds the command in %s", (line, command, rest) => {
  expect(splitCommand(line)).toEqual({ command, rest });
});

it("does not call a crash by a title that may not last", () => {
  const title = "Ended by SIGABRT";
  expect(crashHeadline({ status: "waiting-for-binary", title })).toBe("Not analysed: its binary is missing");
  expect(crashHeadline({ status: "quarantined", title: null })).toBe("Could not be analysed");
  expect(crashHeadline({ status: "done", title })).toBe(title);
});

it("makes sentences", () => {
  expect(sentence("it gave up ")).toBe("It gave up.");
  expect(sentence("Why?")).toBe("Why?");
});

it("says a state with its reason", () => {
  expect(stateWords({ status: "waiting", wait_reason: "chan receive" })).toBe("waiting: chan receive");
  expect(stateWords({ status: "running", wait_reason: null })).toBe("running");
});

it("says of a signal what is known", () => {
  expect(signalWords({ number: 11, name: "SIGSEGV", address: "0x0" })).toBe("SIGSEGV (11), at 0x0");
  expect(signalWords({ number: 6, name: "SIGABRT", sender_pid: 7 })).toBe("SIGABRT (6), sent by process 7");
});

it("asks for the parts that hold the rows in view", () => {
  expect(partsOf(0, 0, 100)).toEqual([0]);
  expect(partsOf(95, 130, 100)).toEqual([0, 100]);
  expect(partsOf(1_999, 2_001, 100)).toEqual([1_900, 2_000]);
});
