import type { KeyPlace, MapLayoutRow } from "../../api/types";
import { count } from "../../lib/format";
import { hexByte, rowRole, tally } from "../../lib/slots";
import { Prose } from "../Code";
import { Scroll } from "../Scroll";
import { ROLE_WORDS } from "./Drawing";

interface LayoutTableProps {
  rows: readonly MapLayoutRow[];
  what: string;
  place: KeyPlace | null;
}

/** The drawing's twin: the same rows in numbers. */
export function LayoutTable({ rows, what, place }: LayoutTableProps) {
  const name = what === "bucket" ? "Bucket" : "Group";
  const tables = rows.some(({ table }) => table != null);
  return (
    <Scroll label={`${name}s, a table that scrolls`}>
      <table className="data layout-table">
        <caption className="sr-only">{name}s and what is in their slots</caption>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            {tables && <th scope="col">Table</th>}
            {["Full", "Deleted", "Empty", "Evacuated"].map((state) => (
              <th key={state} scope="col" className="number">
                {state}
              </th>
            ))}
            {what === "bucket" && (
              <th scope="col" className="number">
                Overflow
              </th>
            )}
            <th scope="col">{what === "bucket" ? "Tophashes" : "Control bytes"}</th>
            <th scope="col">Address</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.index} row={row} tables={tables} what={what} place={place} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const BYTES_SHOWN = 16;

function Row({
  row,
  tables,
  what,
  place,
}: Omit<LayoutTableProps, "rows"> & { row: MapLayoutRow; tables: boolean }) {
  const states = tally(row.slots);
  const role = rowRole(row.index, place);
  const notes = [
    row.old && (row.evacuated ? "old, its entries have moved" : "old, its entries are still here"),
    role !== null && ROLE_WORDS[role],
    role === "found" && place?.slot != null && `in slot ${place.slot}`,
    row.problem,
  ].filter((note) => typeof note === "string");
  const bytes = row.slots.slice(0, BYTES_SHOWN).map(({ byte }) => hexByte(byte).slice(2));
  return (
    <tr className={role === null ? undefined : `key-${role}`}>
      <th scope="row">{count(row.index)}</th>
      {tables && <td>{row.table ?? "none"}</td>}
      <td className="number">{states.full}</td>
      <td className="number">{states.deleted}</td>
      <td className="number">{states.empty}</td>
      <td className="number">{states.evacuated}</td>
      {what === "bucket" && <td className="number">{count(row.overflow)}</td>}
      <td className="nowrap">
        <code>
          {bytes.join(" ")}
          {row.slots.length > BYTES_SHOWN && " …"}
        </code>
      </td>
      <td>
        <code>{row.address}</code>
      </td>
      <td>
        <Prose text={notes.join(", ")} />
      </td>
    </tr>
  );
}
