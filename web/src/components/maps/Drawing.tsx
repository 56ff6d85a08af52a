// Buckets or groups, each a row of eight slots, with overflow buckets behind. Arrow keys go from slot to slot.
import { type KeyboardEvent, useRef, useState } from "react";
import type { GoMap, KeyPlace, MapLayoutRow, MapSlot, SlotState } from "../../api/types";
import { count, counted } from "../../lib/format";
import { SLOT_WORDS } from "../../lib/map-words";
import {
  type Cell,
  type Direction,
  SLOTS,
  type RowRole,
  hexByte,
  moved,
  octets,
  rowRole,
} from "../../lib/slots";
import { Copyable } from "../Copy";

/** Overflow buckets of one row that are drawn; the table tells how many there are. */
const OCTETS = 8;

const DIRECTIONS: Record<string, Direction> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "row-start",
  End: "row-end",
  PageUp: "first",
  PageDown: "last",
};

export const ROLE_WORDS: Record<Exclude<RowRole, null>, string> = {
  found: "the key is here",
  home: "the search begins here",
  probed: "searched",
};

interface DrawingProps {
  rows: readonly MapLayoutRow[];
  total: number;
  /** What a row is: `bucket`. */
  what: string;
  map: GoMap;
  place: KeyPlace | null;
}

export function Drawing({ rows, total, what, map, place }: DrawingProps) {
  const grid = useRef<HTMLDivElement>(null);
  const found = rows.findIndex(({ index }) => index === place?.found_in);
  const [chosen, setChosen] = useState<Cell | null>(null);
  const active: Cell = chosen ?? { row: Math.max(0, found), slot: found < 0 ? 0 : (place?.slot ?? 0) };
  const lengths = rows.map(({ slots }) => Math.min(slots.length, OCTETS * SLOTS));
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = DIRECTIONS[event.key];
    if (direction === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const to = moved(active, direction, lengths);
    setChosen(to);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${to.row}-${to.slot}"]`)?.focus();
  };
  return (
    <>
      {/* Its cells take the focus, one at a time. */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div
        ref={grid}
        role="grid"
        aria-label={`Slots of the ${what}s; arrow keys go from one to the next`}
        aria-rowcount={total}
        className="slots"
        onKeyDown={onKeyDown}
      >
        {rows.map((row, at) => (
          <Row
            key={row.index}
            row={row}
            at={at}
            active={active.row === at ? active.slot : null}
            what={what}
            place={place}
            newTable={row.table != null && row.table !== rows[at - 1]?.table}
            onChoose={(slot) => setChosen({ row: at, slot })}
          />
        ))}
      </div>
      <Chosen row={rows[active.row]} slot={active.slot} what={what} map={map} />
    </>
  );
}

interface RowProps {
  row: MapLayoutRow;
  at: number;
  /** The slot that the keyboard is at. */
  active: number | null;
  what: string;
  place: KeyPlace | null;
  newTable: boolean;
  onChoose: (slot: number) => void;
}

function Row({ row, at, active, what, place, newTable, onChoose }: RowProps) {
  const role = rowRole(row.index, place);
  const chain = octets(row.slots);
  const hidden = chain.length - OCTETS;
  const notes = [
    newTable && `table ${row.table ?? ""}`,
    row.old && (row.evacuated ? "old, moved" : "old"),
    row.problem != null && "broken",
    role !== null && ROLE_WORDS[role],
  ].filter((note) => typeof note === "string");
  return (
    <div
      role="row"
      aria-rowindex={row.index + 1}
      className={`slot-row${role === null ? "" : ` key-${role}`}${row.old ? " old" : ""}`}
    >
      <div role="rowheader" className="slot-index">
        <span className="sr-only">{what} </span>
        {count(row.index)}
        {notes.length > 0 && <span className="sr-only">: {notes.join(", ")}</span>}
      </div>
      <div role="presentation" className="octets">
        {chain.slice(0, OCTETS).map((octet, link) => (
          <div key={link} role="presentation" className={link === 0 ? "octet" : "octet overflow"}>
            {octet.map((slot, offset) => {
              const number = link * SLOTS + offset;
              const keyHere = role === "found" && place?.slot === number;
              return (
                // The grid hears its keys.
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events
                <div
                  key={offset}
                  role="gridcell"
                  data-cell={`${at}-${number}`}
                  tabIndex={active === number ? 0 : -1}
                  aria-label={cellWords(slot, number, keyHere)}
                  className={`slot slot-${slot.state}${keyHere ? " slot-key" : ""}`}
                  onFocus={() => onChoose(number)}
                  onClick={(event) => event.currentTarget.focus()}
                />
              );
            })}
          </div>
        ))}
        {hidden > 0 && <span className="slot-note">and {counted(hidden, "overflow bucket")} more</span>}
        {notes.length > 0 && (
          <span className="slot-note" aria-hidden="true">
            {notes.join(", ")}
          </span>
        )}
      </div>
    </div>
  );
}

function cellWords({ state }: MapSlot, number: number, keyHere: boolean): string {
  const link = Math.floor(number / SLOTS);
  const where = link === 0 ? `slot ${number}` : `slot ${number % SLOTS} of overflow bucket ${link}`;
  return `${where}: ${SLOT_WORDS[state].label}${keyHere ? ", the key" : ""}`;
}

interface ChosenProps {
  row: MapLayoutRow | undefined;
  slot: number;
  what: string;
  map: GoMap;
}

/** The slot that the keyboard or mouse is at, in words. */
function Chosen({ row, slot, what, map }: ChosenProps) {
  const cell = row?.slots[slot];
  if (!row || !cell) return null;
  const { label, meaning } = SLOT_WORDS[cell.state];
  const link = Math.floor(slot / SLOTS);
  return (
    <p className="slot-chosen">
      <strong>
        {what === "bucket" ? "Bucket" : "Group"} {count(row.index)}
        {link > 0 && `, overflow bucket ${link}`}, slot {slot % SLOTS}
      </strong>
      : {label}, {meaning}. {map.implementation === "hmap" ? "Tophash" : "Control byte"}{" "}
      <code>{hexByte(cell.byte)}</code>
      {cell.state === "full" &&
        (map.implementation === "hmap" ? ", the top byte of the hash" : ", the low seven bits of the hash")}
      . The {what} is at <Copyable value={row.address} what={`the ${what}'s address`} />
      {row.problem != null && <span className="warn">. {row.problem}</span>}
    </p>
  );
}

const LEGEND: readonly SlotState[] = ["full", "empty", "deleted", "evacuated"];

export function Legend({ place }: { place: KeyPlace | null }) {
  return (
    <ul className="legend" aria-label="What the slots mean">
      {LEGEND.map((state) => (
        <li key={state}>
          <span className={`slot slot-${state}`} aria-hidden="true" />
          <span>
            {SLOT_WORDS[state].label}
            <span className="muted">: {SLOT_WORDS[state].meaning}</span>
          </span>
        </li>
      ))}
      {place !== null && (
        <li>
          <span className="slot slot-full slot-key" aria-hidden="true" />
          <span>
            the key <code>{place.key}</code>
          </span>
        </li>
      )}
    </ul>
  );
}
