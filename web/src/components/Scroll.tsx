import type { ReactNode } from "react";

interface ScrollProps {
  label: string;
  /** A long table scrolls by itself, too. */
  tall?: boolean;
  children: ReactNode;
}

/** A wide table that scrolls by itself, by keyboard too, and never the page. */
export function Scroll({ label, tall = false, children }: ScrollProps) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={tall ? "scroll tall" : "scroll"} tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}
