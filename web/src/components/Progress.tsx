import { ProgressBar } from "react-aria-components";
import { bytes } from "../lib/format";

/** How much of a file has left; `whole` is what is said when all of it has. */
export function Progress({
  label,
  sent,
  size,
  whole = "sent, being stored",
}: {
  label: string;
  sent: number;
  size: number;
  whole?: string;
}) {
  const percent = size === 0 ? 100 : Math.min(100, Math.floor((sent / size) * 100));
  const words = percent === 100 ? whole : `${bytes(sent)} of ${bytes(size)}`;
  return (
    <ProgressBar className="progress" value={percent} aria-label={label} valueLabel={words}>
      <div className="progress-words">
        <span>{label}</span>
        <span className="muted">{words}</span>
      </div>
      <div className="progress-track">
        <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
          <rect width={percent} height="1" />
        </svg>
      </div>
    </ProgressBar>
  );
}
