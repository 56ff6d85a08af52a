// What somebody filled in to mute a group.
import type { MuteUntil } from "../api/types";

export const MUTE_TIMES = {
  hour: { label: "for an hour", seconds: 3_600 },
  shift: { label: "for 8 hours", seconds: 8 * 3_600 },
  day: { label: "for a day", seconds: 86_400 },
  week: { label: "for a week", seconds: 7 * 86_400 },
} as const;
export type MuteTime = keyof typeof MUTE_TIMES;

export interface MuteForm {
  count: string;
  time: MuteTime | "at" | "";
  /** In the reader's zone, as the browser's own field writes it. */
  at: string;
  version: string;
  escalates: boolean;
  perHour: string;
}

export const EMPTY_MUTE: MuteForm = {
  count: "",
  time: "",
  at: "",
  version: "",
  escalates: true,
  perHour: "",
};

/** What it asks for, or what is wrong with which field. */
export function muteOf(form: MuteForm, now: number): MuteUntil | { wrong: keyof MuteForm; why: string } {
  const until: MuteUntil = {};
  if (form.count.trim() !== "") {
    const crashes = whole(form.count);
    if (crashes === null) return { wrong: "count", why: "A whole number from 1 on." };
    until.count = crashes;
  }
  if (form.time === "at") {
    const at = Date.parse(form.at);
    if (Number.isNaN(at)) return { wrong: "at", why: "A day and a time." };
    if (at <= now) return { wrong: "at", why: "That time has passed." };
    until.time = new Date(at).toISOString();
  } else if (form.time !== "") {
    until.time = new Date(now + MUTE_TIMES[form.time].seconds * 1_000).toISOString();
  }
  if (form.version.trim() !== "") until.version = form.version.trim();
  if (form.escalates) {
    if (form.perHour.trim() === "") until.escalation = {};
    else {
      const limit = whole(form.perHour);
      if (limit === null) return { wrong: "perHour", why: "A whole number from 1 on." };
      until.escalation = { per_hour: limit };
    }
  }
  return until;
}

function whole(text: string): number | null {
  return /^[1-9]\d{0,9}$/.test(text.trim()) ? Number(text.trim()) : null;
}
