import { type ReactNode, useState } from "react";
import { Button } from "react-aria-components";
import type { Frame } from "../api/types";
import { counted } from "../lib/format";
import { type Owner, ownerOf, position } from "../lib/frames";
import { frameAnchor } from "../lib/refs";
import { FunctionName } from "./Code";
import { Icon } from "./Icon";
import { Locals } from "./Locals";

const OWNER_WORDS: Record<Owner, string | null> = {
  app: null,
  dependency: "dependency",
  std: "standard library",
  runtime: "runtime",
  c: "C code",
  signal: "signal handler",
};

const TRUST_WORDS: Record<Frame["trust"], string | null> = {
  cfi: null,
  pclntab: null,
  "frame-pointer": "position taken from frame pointers",
  scan: "a guess: found by searching the stack",
};

interface FrameItemProps {
  frame: Frame;
  index: number;
  module: string | null | undefined;
  /** Its variables are shown from the start. */
  opened: boolean;
  /** Asks for an expression in this frame. */
  onEvaluate?: ((frame: number) => void) | undefined;
  children?: ReactNode;
}

export function FrameItem({ frame, index, module, opened, onEvaluate, children }: FrameItemProps) {
  const owner = ownerOf(frame, module);
  const [open, setOpen] = useState(opened);
  const notes = [OWNER_WORDS[owner], frame.inlined ? "inlined" : null, TRUST_WORDS[frame.trust]];
  const where = position(frame);
  const localsId = `locals-${index}`;
  return (
    <li className={`frame owner-${owner}`} value={index} id={frameAnchor(index)} tabIndex={-1}>
      <div className="frame-head">
        <span className="frame-index" aria-hidden="true">
          {index}
        </span>
        <div className="frame-body">
          <div className="call">
            {owner === "c" && (
              <span className="c-badge" title="C code, called through cgo or started by a C library">
                C
              </span>
            )}
            <FunctionName name={frame.function} whole />
            {owner !== "c" && owner !== "signal" && (
              <span className="args">({frame.args ?? <span className="unknown">unknown</span>})</span>
            )}
          </div>
          <div className="frame-meta">
            {where === null ? (
              <span className="unknown">position unknown (no table holds this address)</span>
            ) : (
              <span className="position" title={frame.file ?? frame.library ?? undefined}>
                {where}
              </span>
            )}
            {notes.filter(Boolean).map((note) => (
              <span key={note} className="note">
                {note}
              </span>
            ))}
            {frame.locals.length > 0 && (
              <Button
                className="locals-toggle"
                aria-expanded={open}
                aria-controls={localsId}
                onPress={() => setOpen(!open)}
              >
                <Icon name="chevron" />
                {counted(frame.locals.length, "variable")}
              </Button>
            )}
            {onEvaluate && owner !== "c" && owner !== "signal" && (
              <Button className="locals-toggle" onPress={() => onEvaluate(index)}>
                Evaluate here<span className="sr-only">, in frame {index}</span>
              </Button>
            )}
          </div>
          {frame.locals.length > 0 && (
            <div id={localsId} hidden={!open}>
              <Locals frame={frame} />
            </div>
          )}
        </div>
      </div>
      {children}
    </li>
  );
}
