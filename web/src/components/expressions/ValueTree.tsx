import { useState } from "react";
import { Button } from "react-aria-components";
import { count } from "../../lib/format";
import { type Branch, type Node, inline } from "../../lib/values";
import { Icon } from "../Icon";

/** Children that are shown at first, and that each press adds. */
const AT_ONCE = 25;
/** Values of one line are not worth a fold. */
const SHORT = 72;

/** A value: what is inside it folds out. */
export function ValueTree({ node, name }: { node: Node; name: string }) {
  if (node.kind === "leaf") return <p className="value-line">{leaf(node)}</p>;
  return (
    <div className="value-tree" role="group" aria-label={`Value of ${name}`}>
      <p className="muted small">{node.summary}</p>
      <Children node={node} />
    </div>
  );
}

function leaf(node: Node) {
  if (node.kind === "branch") return <code className="value">{inline(node)}</code>;
  return node.faint ? (
    <span className="unknown">{node.text}</span>
  ) : (
    <code className="value">{node.text}</code>
  );
}

function Children({ node }: { node: Branch }) {
  const [shown, setShown] = useState(AT_ONCE);
  const hidden = node.children.length - shown;
  return (
    <ul className="value-children">
      {node.children.slice(0, shown).map((child, index) => (
        <Child key={index} name={child.name} node={child.node} />
      ))}
      {hidden > 0 && (
        <li>
          <Button className="button quiet" onPress={() => setShown(shown + AT_ONCE)}>
            {count(Math.min(hidden, AT_ONCE))} more of {count(hidden)}
          </Button>
        </li>
      )}
      {hidden <= 0 && node.rest !== null && <li className="muted">{node.rest}</li>}
    </ul>
  );
}

function Child({ name, node }: { name: string; node: Node }) {
  const [open, setOpen] = useState(false);
  const line = inline(node, SHORT);
  if (node.kind === "leaf" || (!line.endsWith("…") && node.rest === null)) {
    return (
      <li className="value-child">
        <code className="value-name">{name}</code> {leaf(node)}
      </li>
    );
  }
  return (
    <li className="value-child">
      <Button className="locals-toggle" aria-expanded={open} onPress={() => setOpen(!open)}>
        <Icon name="chevron" />
        <code className="value-name">{name}</code> <span className="muted">{node.summary}</span>
      </Button>
      {open && <Children node={node} />}
    </li>
  );
}
