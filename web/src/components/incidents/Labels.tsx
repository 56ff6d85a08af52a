import { labelsInOrder } from "../../lib/incident-words";

interface Props {
  labels: Record<string, string>;
  /** Those beyond so many are only counted. */
  most?: number;
  /** How many there are, where these are not all of them. */
  total?: number;
}

/** Labels in a row. */
export function Labels({ labels, most = Infinity, total }: Props) {
  const all = labelsInOrder(labels);
  if (all.length === 0) return null;
  const hidden = (total ?? all.length) - Math.min(most, all.length);
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
