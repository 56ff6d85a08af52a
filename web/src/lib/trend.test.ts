import { expect, it } from "vitest";
import { bars, isDaily, trendWords } from "./trend";

const hour = (at: number, count: number) => ({ at: new Date(at * 3_600_000).toISOString(), count });

it("draws the highest hour in full and leaves a hairline for an empty one", () => {
  const [first, second, third] = bars([hour(0, 0), hour(1, 4), hour(2, 1)], 30, 20);
  expect(first).toMatchObject({ height: 1, empty: true });
  expect(second).toMatchObject({ height: 20, y: 0, empty: false });
  expect(third).toMatchObject({ height: 5, y: 15 });
});

it("keeps a single crash among thousands visible", () => {
  expect(bars([hour(0, 5_000), hour(1, 1)], 20, 20)[1]?.height).toBe(3);
});

it("says the same in words", () => {
  expect(trendWords([hour(0, 0)])).toBe("no crash in 24 hours");
  expect(trendWords([hour(0, 1), hour(1, 3)])).toMatch(
    /^4 crashes in 24 hours, most in the hour from .* \(3\)$/,
  );
});

it("names days where steps are days, and the day where there are many hours", () => {
  const days = [
    { at: "2026-11-20T00:00:00Z", count: 0 },
    { at: "2026-11-21T00:00:00Z", count: 4 },
  ];
  expect(isDaily(days)).toBe(true);
  expect(trendWords(days, "30 days")).toBe("4 crashes in 30 days, most on 21 Nov (4)");
  const hours = Array.from({ length: 48 }, (_, hour) => ({
    at: new Date(Date.parse("2026-11-20T00:00:00Z") + hour * 3_600_000).toISOString(),
    count: hour === 30 ? 1 : 0,
  }));
  expect(isDaily(hours)).toBe(false);
  expect(trendWords(hours, "7 days")).toMatch(
    /^1 crash in 7 days, most in the hour from \d\d:00 on 21 Nov \(1\)$/,
  );
});
