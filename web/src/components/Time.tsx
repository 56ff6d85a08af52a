import { absoluteTime, relativeTime } from "../lib/format";
import { useNow } from "../lib/hooks";

/** How long ago, with the point in time on hover. */
export function Time({ at, prefix = "" }: { at: string; prefix?: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {prefix}
      {relativeTime(at, now)}
    </time>
  );
}

/** How long ago and when, where there is room for both. */
export function FullTime({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at}>
      {absoluteTime(at)} <span className="muted">({relativeTime(at, now)})</span>
    </time>
  );
}
