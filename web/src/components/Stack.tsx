// A stack: the application's frames stand out; what is folded is a line that says what it holds.
import { useEffect, useMemo, useState } from "react";
import { useRouterState } from "@tanstack/react-router";
import { Button } from "react-aria-components";
import type { Goroutine } from "../api/types";
import { counted } from "../lib/format";
import { type FrameRun, foldWords, openFrames, runs } from "../lib/frames";
import { frameAnchor, frameOfHash } from "../lib/refs";
import { FrameItem } from "./FrameItem";
import { Icon } from "./Icon";
import { CreatedBy } from "./CreatedBy";

interface StackProps {
  goroutine: Goroutine;
  module: string | null | undefined;
  /** Where other goroutines of the crash are found. */
  crash: string;
  /** Asks for an expression in a frame. */
  onEvaluate?: (frame: number) => void;
}

export function Stack({ goroutine, module, crash, onEvaluate }: StackProps) {
  const { frames, elided } = goroutine;
  const parts = useMemo(() => runs(frames), [frames]);
  const { isOpen, toggle, toggleAll, allOpen } = useFolds(parts);
  const opened = useMemo(() => openFrames(frames, module), [frames, module]);
  const foldable = parts.some((part) => part.fold !== null);
  if (frames.length === 0) {
    return <p className="notice">No frame of this goroutine could be read.</p>;
  }
  return (
    <div className="stack">
      {foldable && (
        <Button className="button quiet stack-toggle" aria-pressed={allOpen} onPress={toggleAll}>
          {allOpen ? "Fold again" : "Show every frame"}
        </Button>
      )}
      <ol className="frames">
        {parts.map((part) => (
          <Run
            key={part.start}
            part={part}
            open={isOpen(part)}
            onToggle={() => toggle(part)}
            module={module}
            opened={opened}
            gapAfter={elided ?? null}
            onEvaluate={onEvaluate}
          />
        ))}
      </ol>
      {goroutine.truncated && elided == null && (
        <p className="notice warn">This stack could not be walked to its end: outer frames are missing.</p>
      )}
      <CreatedBy createdBy={goroutine.created_by ?? null} crash={crash} />
    </div>
  );
}

interface RunProps {
  part: FrameRun;
  open: boolean;
  onToggle: () => void;
  module: string | null | undefined;
  opened: ReadonlySet<number>;
  gapAfter: { after_frames: number; count: number } | null;
  onEvaluate: ((frame: number) => void) | undefined;
}

function Run({ part, open, onToggle, module, opened, gapAfter, onEvaluate }: RunProps) {
  const last = part.start + part.frames.length - 1;
  if (part.fold !== null && !open) {
    return (
      <>
        <li className="fold" value={part.start}>
          <Button className="fold-button" aria-expanded={false} onPress={onToggle}>
            <Icon name="chevron" />
            {counted(part.frames.length, "frame")} {part.fold === "runtime" ? "of the runtime" : "folded"}
            <span className="muted">{foldWords(part)}</span>
          </Button>
        </li>
        {gapAfter !== null && within(gapAfter.after_frames, part.start, last) && (
          <li className="gap">{gapWords(gapAfter.count)}</li>
        )}
      </>
    );
  }
  return part.frames.map((frame, offset) => {
    const index = part.start + offset;
    return (
      <FrameItem
        key={index}
        frame={frame}
        index={index}
        module={module}
        opened={opened.has(index)}
        onEvaluate={onEvaluate}
      >
        {gapAfter !== null && gapAfter.after_frames === index + 1 && (
          <div className="gap">{gapWords(gapAfter.count)}</div>
        )}
      </FrameItem>
    );
  });
}

function within(after: number, start: number, last: number): boolean {
  return after > start && after <= last + 1;
}

function gapWords(count: number): string {
  return `${counted(count, "frame")} left out here: the stack is deeper than what is read of it.`;
}

function useFolds(parts: readonly FrameRun[]) {
  const hash = useRouterState({ select: (state) => state.location.hash });
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const wanted = frameOfHash(hash);
  const holder = parts.find(
    ({ start, frames }) => wanted !== null && wanted >= start && wanted < start + frames.length,
  );
  const isOpen = (part: FrameRun) => open.has(part.start) || part === holder;
  // A link to a frame: it may stand in a fold that has only just opened.
  useEffect(() => {
    if (wanted === null) return;
    const element = document.getElementById(frameAnchor(wanted));
    element?.scrollIntoView({ block: "center" });
    element?.focus({ preventScroll: true });
  }, [wanted, hash]);
  const foldable = parts.filter((part) => part.fold !== null);
  const allOpen = foldable.every(isOpen);
  return {
    isOpen,
    allOpen,
    toggle: (part: FrameRun) => setOpen((before) => new Set([...before, part.start])),
    toggleAll: () => setOpen(allOpen ? new Set() : new Set(foldable.map(({ start }) => start))),
  };
}
