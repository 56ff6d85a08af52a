import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { announce } from "../lib/announce";
import { Icon } from "./Icon";
import type { IconName } from "./icon-paths";

const SHOWN_FOR = 1_800;

function useCopied() {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return undefined;
    const timer = setTimeout(() => setState("idle"), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
      announce(`Copied ${what}.`);
    } catch {
      setState("failed");
      announce(`${what} could not be copied: the browser does not allow it.`);
    }
  };
  return { state, copy };
}

interface CopyButtonProps {
  text: () => string;
  /** What is copied, as it follows `Copied`: `the link`. */
  what: string;
  label: string;
  icon?: IconName;
  primary?: boolean;
}

/** Copies, and says so in place and to screen readers. */
export function CopyButton({ text, what, label, icon = "copy", primary = false }: CopyButtonProps) {
  const { state, copy } = useCopied();
  return (
    <Button className={primary ? "button primary" : "button"} onPress={() => void copy(text(), what)}>
      <Icon name={state === "copied" ? "check" : icon} />
      {state === "copied" ? "Copied" : state === "failed" ? "Not allowed" : label}
    </Button>
  );
}

/** A value in monospace with a small button that copies it. */
export function Copyable({ value, what, short }: { value: string; what: string; short?: string }) {
  const { state, copy } = useCopied();
  return (
    <span className="copyable">
      <code>{short ?? value}</code>
      <Button className="copy-small" aria-label={`Copy ${what}`} onPress={() => void copy(value, what)}>
        <Icon name={state === "copied" ? "check" : "copy"} />
      </Button>
    </span>
  );
}

/** A command to be pasted into a terminal. */
export function Command({ text, what }: { text: string; what: string }) {
  const { state, copy } = useCopied();
  return (
    <div className="command">
      {/* Long lines scroll, which keyboards must reach too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="group" aria-label={what}>
        <code>{text}</code>
      </pre>
      <Button
        className="button quiet"
        aria-label={`${state === "copied" ? "Copied" : "Copy"} ${what}`}
        onPress={() => void copy(text, what)}
      >
        <Icon name={state === "copied" ? "check" : "copy"} />
        {state === "copied" ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}
