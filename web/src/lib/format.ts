// Numbers, times and sizes as people read them.

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const COUNT = new Intl.NumberFormat("en");
const ABSOLUTE = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});
const DAY_OF = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const HOUR = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const STEPS: [limit: number, divisor: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, "second"],
  [3_600, 60, "minute"],
  [86_400, 3_600, "hour"],
  [86_400 * 30, 86_400, "day"],
  [86_400 * 365, 86_400 * 30, "month"],
  [Infinity, 86_400 * 365, "year"],
];

/** `3 min. ago`; a few seconds either way are `just now`, because clocks differ. */
export function relativeTime(then: string, now: number): string {
  const seconds = (Date.parse(then) - now) / 1_000;
  if (Number.isNaN(seconds)) return "at an unknown time";
  const distance = Math.abs(seconds);
  if (distance < 5) return "just now";
  const [, divisor, unit] = STEPS.find(([limit]) => distance < limit) ?? [0, 1, "second" as const];
  return RELATIVE.format(Math.trunc(seconds / divisor), unit);
}

/** `21 Nov 2026, 09:13:36 UTC`. */
export function absoluteTime(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? "unknown time" : `${ABSOLUTE.format(parsed)} UTC`;
}

/** The hour of the day in the reader's zone: `09:00`. */
export function hourOfDay(time: string): string {
  return HOUR.format(Date.parse(time));
}

/** The day, in UTC as days are counted: `21 Nov`. */
export function dayOf(time: string): string {
  return DAY_OF.format(Date.parse(time));
}

export function count(value: number): string {
  return COUNT.format(value);
}

/** `1 goroutine`, `2,000 goroutines`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `38.5 MiB`. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  if (unit === 0) return counted(size, "byte");
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`; parts of a second below ten. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.floor(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}

/** The first twelve digits of a digest or id, which tell it apart among people. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** The last component of a path. */
export function baseName(path: string): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last === "" ? path : last;
}
