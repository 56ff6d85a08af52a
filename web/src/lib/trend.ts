// Crashes per hour as a row of bars, and as words.
import type { TrendPoint } from "../api/types";
import { counted, dayOf, hourOfDay } from "./format";

export interface Bar {
  x: number;
  y: number;
  height: number;
  width: number;
  empty: boolean;
}

/** Bars for a box of `width` by `height`; an hour without crashes leaves a hairline on the floor. */
export function bars(trend: readonly TrendPoint[], width: number, height: number): Bar[] {
  const most = Math.max(1, ...trend.map((point) => point.count));
  const step = width / Math.max(1, trend.length);
  return trend.map((point, index) => {
    const tall = point.count === 0 ? 1 : Math.max(3, (point.count / most) * height);
    return { x: index * step, y: height - tall, height: tall, width: step * 0.7, empty: point.count === 0 };
  });
}

/** `3 crashes in 24 hours, most in the hour from 09:00 (2)`. */
export function trendWords(trend: readonly TrendPoint[], span = "24 hours"): string {
  const total = trend.reduce((sum, point) => sum + point.count, 0);
  if (total === 0) return `no crash in ${span}`;
  const peak = trend.reduce((best, point) => (point.count > best.count ? point : best));
  return `${counted(total, "crash", "crashes")} in ${span}, most ${stepWords(trend, peak)} (${peak.count})`;
}

const DAY = 86_400_000;

/** The steps are days. */
export function isDaily([first, second]: readonly TrendPoint[]): boolean {
  return first !== undefined && second !== undefined && Date.parse(second.at) - Date.parse(first.at) >= DAY;
}

function stepWords(trend: readonly TrendPoint[], { at }: TrendPoint): string {
  if (isDaily(trend)) return `on ${dayOf(at)}`;
  const long = trend.length * 3_600_000 > DAY;
  return `in the hour from ${hourOfDay(at)}${long ? ` on ${dayOf(at)}` : ""}`;
}

/** What a step is called in a table: `09:00`, `21 Nov, 09:00`, `21 Nov`. */
export function stepLabel(trend: readonly TrendPoint[], { at }: TrendPoint): string {
  if (isDaily(trend)) return dayOf(at);
  return trend.length * 3_600_000 > DAY ? `${dayOf(at)}, ${hourOfDay(at)}` : hourOfDay(at);
}
