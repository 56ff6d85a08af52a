// Titles as the server makes them, without what stands beside them anyway.

import type { CrashStatus } from "../api/types";

/** The headline of a crash, which without its binary has a title that may not last. */
export function crashHeadline({ status, title }: { status: CrashStatus; title?: string | null }): string {
  switch (status) {
    case "waiting-for-binary":
      return "Not analysed: its binary is missing";
    case "failed":
    case "quarantined":
      return title ?? "Could not be analysed";
    default:
      return title ?? "Not analysed yet";
  }
}

/** A text as a sentence of its own. */
export function sentence(text: string): string {
  const upper = capitalised(text.trim());
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** Names stay as they are: `main.go`, `data_race`. */
function capitalised(text: string): string {
  if (/^[^\s:]*[._/]/.test(text)) return text;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A group's title is `class-slug: message at place`. The class stands beside it in words, so that the
 * message and place are the headline; a title that says no more than the slug gives the label.
 */
export function groupHeadline(title: string, classLabel: string): string {
  const match = /^([a-z]+(?:-[a-z]+)*): (.+)$/s.exec(title);
  const rest = match?.[2];
  if (rest !== undefined) return capitalised(rest);
  return /^(?:[a-z]+(?:-[a-z]+)*)?$/.test(title) ? classLabel : capitalised(title);
}
