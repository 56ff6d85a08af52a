import { expect, it } from "vitest";
import { codeSpans } from "./code-spans";

const code = (sentence: string) => codeSpans(sentence).flatMap((span) => (span.code ? [span.text] : []));

it.each([
  ["Concurrent map writes in main.(*stats).record (main.go:16)", ["main.(*stats).record", "main.go:16"]],
  ["Called from net/http.(*conn).serve", ["net/http.(*conn).serve"]],
  ["Guard it with a sync.Mutex, held for every read.", ["sync.Mutex"]],
  ["The map at 0xc0000920f0 is nil", ["0xc0000920f0"]],
  ["Run `go vet ./...` first", ["go vet ./..."]],
  ["/srv/app/type-assertion-1.24 is not here", ["/srv/app/type-assertion-1.24"]],
  ["GOTRACEBACK=crash in its environment", ["GOTRACEBACK=crash"]],
  ["Some tools, e.g. probes. Nothing panicked.", []],
  ["It is c.users (map[string]*main.User, nil).", ["c.users", "map[string]*main.User"]],
  ["A map[main.key][]byte. Then more", ["map[main.key][]byte"]],
  ["carried by *main.stats 0xc000112200", ["*main.stats", "0xc000112200"]],
  ["it was cut off at 12.5 MiB", []],
  [
    "in main.(*Cache[go.shape.struct { Id string; Tags map[string][]int },go.shape.int]).apply.func1 (cache.go:4)",
    [
      "main.(*Cache[go.shape.struct { Id string; Tags map[string][]int },go.shape.int]).apply.func1",
      "cache.go:4",
    ],
  ],
  ["in shop/cart.Sum[go.shape.int].func2, twice", ["shop/cart.Sum[go.shape.int].func2"]],
])("%s", (sentence, spans) => {
  expect(code(sentence)).toEqual(spans);
});

it("keeps every word", () => {
  const sentence = "Goroutine 7 wrote in main.f (main.go:3), the map at 0x10.";
  expect(
    codeSpans(sentence)
      .map((span) => span.text)
      .join(""),
  ).toBe(sentence);
});
