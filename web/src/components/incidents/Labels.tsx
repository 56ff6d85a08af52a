import { labelsInOrder } from "../../lib/incident-words";

/** Labels in a row; those beyond `most` are only counted. */
export function Labels({ labels, most = Infinity }: { labels: Record<string, string>; most?: number }) {
  const all = labelsInOrder(labels);
  if (all.length === 0) return null;
  const hidden = all.length - most;
  return (
    <span className="labels">
      {all.slice(0, most).map(([name, value]) => (
        <span key={name} className="label">
          <span className="muted">{name}</span> {value}
        </span>
      ))}
      {hidden > 0 && <span className="muted">and {hidden} more</span>}
    </span>
  );
}
