// Buckets and groups as they are drawn.
import type { KeyPlace, MapLayoutRow, MapSlot, SlotState } from "../api/types";

/** Slots of a bucket and of a group, in every version of Go. */
export const SLOTS = 8;

/** What the server is asked for at once, aligned, and what of it is drawn on one page. */
export const BLOCK = 64;
export const ROWS = 32;

export const blockOf = (row: number) => row - (row % BLOCK);
export const pageOf = (row: number) => row - (row % ROWS);

/** A bucket's own eight slots, and those of each overflow bucket behind it. */
export function octets(slots: readonly MapSlot[]): MapSlot[][] {
  const found: MapSlot[][] = [];
  for (let at = 0; at < slots.length; at += SLOTS) found.push(slots.slice(at, at + SLOTS));
  return found;
}

export function tally(slots: readonly MapSlot[]): Record<SlotState, number> {
  const sums = { full: 0, deleted: 0, evacuated: 0, empty: 0 };
  for (const { state } of slots) sums[state] += 1;
  return sums;
}

export interface Occupancy {
  rows: number;
  slots: Record<SlotState, number>;
  /** Rows by how many of their entries are there: `fill[3]` have three; the last counts all above eight. */
  fill: number[];
  /** Rows that have overflow buckets, how many those are, and the longest chain. */
  chained: number;
  overflow: number;
  longest: number;
  evacuated: number;
  broken: number;
}

/** How full rows are; those whose entries have moved away are counted, but not into the fill. */
export function occupancy(rows: readonly MapLayoutRow[]): Occupancy {
  const sums: Occupancy = {
    rows: rows.length,
    slots: { full: 0, deleted: 0, evacuated: 0, empty: 0 },
    fill: Array.from({ length: SLOTS + 2 }, () => 0),
    chained: 0,
    overflow: 0,
    longest: 0,
    evacuated: 0,
    broken: 0,
  };
  for (const row of rows) {
    const states = tally(row.slots);
    for (const state of Object.keys(states) as SlotState[]) sums.slots[state] += states[state];
    if (row.problem != null) sums.broken += 1;
    if (row.overflow > 0) {
      sums.chained += 1;
      sums.overflow += row.overflow;
      sums.longest = Math.max(sums.longest, row.overflow);
    }
    if (row.evacuated) sums.evacuated += 1;
    else {
      const bin = Math.min(states.full, SLOTS + 1);
      sums.fill[bin] = (sums.fill[bin] ?? 0) + 1;
    }
  }
  return sums;
}

/** How many rows a summary reads: all of a small map, some that lie apart of a large one. */
export function sampleBlocks(total: number, size: number, atMost: number): number[] {
  const blocks = Math.ceil(total / size);
  if (blocks <= atMost) return Array.from({ length: blocks }, (_, index) => index * size);
  return Array.from({ length: atMost }, (_, index) => Math.floor((index * blocks) / atMost) * size);
}

export type RowRole = "found" | "home" | "probed" | null;

/** What a row is to the key that was looked up. */
export function rowRole(index: number, place: KeyPlace | null | undefined): RowRole {
  if (place == null) return null;
  if (place.found_in === index) return "found";
  if (place.home === index) return "home";
  return place.probed.includes(index) ? "probed" : null;
}

/** The row to show for a key: where it is, else where a search for it begins. */
export function rowOfKey(place: KeyPlace | null | undefined): number | null {
  return place?.found_in ?? place?.home ?? null;
}

export type Direction = "left" | "right" | "up" | "down" | "row-start" | "row-end" | "first" | "last";
export interface Cell {
  row: number;
  slot: number;
}

/** Where the arrow keys lead among rows of these many slots; rows may be of different lengths. */
export function moved({ row, slot }: Cell, direction: Direction, lengths: readonly number[]): Cell {
  const last = Math.max(0, lengths.length - 1);
  const at = (wanted: number): Cell => {
    const to = Math.min(Math.max(wanted, 0), last);
    return { row: to, slot: Math.min(slot, Math.max(0, (lengths[to] ?? 1) - 1)) };
  };
  const end = Math.max(0, (lengths[row] ?? 1) - 1);
  switch (direction) {
    case "left":
      return { row, slot: Math.max(0, slot - 1) };
    case "right":
      return { row, slot: Math.min(end, slot + 1) };
    case "up":
      return at(row - 1);
    case "down":
      return at(row + 1);
    case "row-start":
      return { row, slot: 0 };
    case "row-end":
      return { row, slot: end };
    case "first":
      return { row: 0, slot: 0 };
    case "last":
      return { row: last, slot: Math.max(0, (lengths[last] ?? 1) - 1) };
  }
}

/** `0x9f`, as the runtime's source writes such bytes. */
export function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
