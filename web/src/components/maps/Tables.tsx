import type { SwissHeader, SwissTable } from "../../api/types";
import { count, counted } from "../../lib/format";
import { Copyable } from "../Copy";
import { Pages, usePages } from "../Pages";
import { Scroll } from "../Scroll";
import { Unknown } from "../Unknown";

const AT_ONCE = 12;

/** The tables of a Swiss map; a small one has none. */
export function Tables({ header }: { header: SwissHeader }) {
  const { shown, ...pages } = usePages(header.tables, AT_ONCE);
  if (header.tables.length === 0) return null;
  const hidden = (header.table_count ?? 0) - header.tables.length;
  return (
    <section aria-labelledby="tables">
      <h2 id="tables">
        Tables
        <span className="h-note">each is found by the first bits of a hash, and grows by itself</span>
      </h2>
      <Scroll label="Tables, a table that scrolls">
        <table className="data">
          <caption className="sr-only">Tables of the map</caption>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Entries in slots</th>
              <th scope="col" className="number">
                Growth left
              </th>
              <th scope="col" className="number">
                Tombstones
              </th>
              <th scope="col" className="number">
                Local depth
              </th>
              <th scope="col" className="number">
                Groups
              </th>
              <th scope="col">Address</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((table, index) => (
              <Row key={`${table.address}-${index}`} table={table} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pages {...pages} what="tables" />
      {hidden > 0 && <p className="muted small">{counted(hidden, "more table")} not listed.</p>}
    </section>
  );
}

function Row({ table }: { table: SwissTable }) {
  return (
    <tr>
      <th scope="row">{table.index < 0 ? "replaced" : count(table.index)}</th>
      <td>
        <meter
          className="fill-meter"
          min={0}
          max={Math.max(1, table.capacity)}
          value={table.used}
          aria-hidden="true"
        />{" "}
        {count(table.used)} of {count(table.capacity)}
      </td>
      <td className="number">{count(table.growth_left)}</td>
      <td className="number">{table.tombstones == null ? <Unknown /> : count(table.tombstones)}</td>
      <td className="number">{table.local_depth}</td>
      <td className="number">{count(table.group_count)}</td>
      <td>
        <Copyable value={table.address} what="the table's address" />
      </td>
    </tr>
  );
}
