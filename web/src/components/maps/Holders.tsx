import { Link } from "@tanstack/react-router";
import type { MapRoot } from "../../api/types";
import { counted } from "../../lib/format";
import { ROOT_WORDS, nameOf } from "../../lib/map-words";
import { frameAnchor } from "../../lib/refs";
import { Prose, breakable } from "../Code";
import { Pages, usePages } from "../Pages";
import { Scroll } from "../Scroll";
import { Unknown } from "../Unknown";
import { SureMark } from "./marks";

interface HoldersProps {
  roots: readonly MapRoot[];
  leftOut: number;
  crash: string;
  /** As a list of lines. */
  short?: boolean;
}

const AT_ONCE = 6;
const SHORT_AT_ONCE = 4;

/** Where a map is held, with the way to it. */
export function Holders({ roots, leftOut, crash, short = false }: HoldersProps) {
  const { shown, ...pages } = usePages(roots, AT_ONCE);
  if (short) {
    // Those with a name say most.
    const named = roots.filter(({ variable }) => variable != null);
    const telling = (named.length > 0 ? named : roots).slice(0, SHORT_AT_ONCE);
    const hidden = roots.length - telling.length + leftOut;
    return (
      <ul className="holders">
        {telling.map((root, index) => (
          <li key={index}>
            <Way root={root} /> <span className="muted">({ROOT_WORDS[root.kind]})</span>{" "}
            <Where root={root} crash={crash} />
            {root.owner != null && (
              <span className="holder-owner">
                , in <Prose text={root.owner} />
              </span>
            )}
          </li>
        ))}
        {hidden > 0 && <li className="muted">and {counted(hidden, "more place")}</li>}
      </ul>
    );
  }
  return (
    <>
      <Scroll label="Where it is held, a table that scrolls">
        <table className="data cards holder-table" role="table">
          <caption className="sr-only">Where it is held</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader">
                The way to it
              </th>
              <th scope="col" role="columnheader">
                Where
              </th>
              <th scope="col" role="columnheader">
                Sort of place
              </th>
              <th scope="col" role="columnheader">
                How sure
              </th>
              <th scope="col" role="columnheader">
                Carried by
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {shown.map((root, index) => (
              <tr key={index} role="row">
                <th scope="row" role="rowheader">
                  <Way root={root} />
                </th>
                <td role="cell">
                  <Where root={root} crash={crash} />
                </td>
                <td role="cell">
                  {ROOT_WORDS[root.kind]}
                  {root.slot != null && (
                    <>
                      {" "}
                      at <code>{root.slot}</code>
                    </>
                  )}
                </td>
                <td role="cell">
                  <SureMark certain={root.certain} />
                </td>
                <td role="cell">
                  {root.owner == null ? (
                    <span className="muted">nothing that is known</span>
                  ) : (
                    <Prose text={root.owner} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pages {...pages} what="holders" />
      {leftOut > 0 && <p className="muted small">{counted(leftOut, "more place")} not listed.</p>}
    </>
  );
}

function Way({ root }: { root: MapRoot }) {
  const name = nameOf(root);
  return name == null ? <Unknown why="no name is known" /> : <code>{breakable(name)}</code>;
}

function Where({ root, crash }: { root: MapRoot; crash: string }) {
  if (root.goroutine == null) return <>global, for every goroutine</>;
  const words = `goroutine ${root.goroutine}${root.frame == null ? "" : `, frame ${root.frame}`}`;
  return (
    <Link
      to="/crashes/$id/goroutines/$gid"
      params={{ id: crash, gid: String(root.goroutine) }}
      hash={root.frame == null ? "" : frameAnchor(root.frame)}
      className="reference"
    >
      {words}
    </Link>
  );
}
