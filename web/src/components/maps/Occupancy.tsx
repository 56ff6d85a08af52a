// How full a map is, over all of it or over parts that lie apart.
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import { mapLayoutQuery } from "../../api/queries";
import type { GoMap, MapLayout } from "../../api/types";
import { count, counted } from "../../lib/format";
import { type Occupancy as Sums, SLOTS, occupancy, sampleBlocks } from "../../lib/slots";
import { rowWords } from "./Layout";

/** Rows of one question, questions at first, and those of who wants all rows counted. */
const AT_ONCE = 512;
const PARTS = 4;
const ALL_PARTS = 256;

interface OccupancyProps {
  map: GoMap;
  crash: string;
  total: number;
  first: MapLayout | null | undefined;
}

export function Occupancy({ map, crash, total, first }: OccupancyProps) {
  const [all, setAll] = useState(false);
  const whole = first?.from === 0 && first.rows.length >= total;
  const parts = useQueries({
    queries: whole
      ? []
      : sampleBlocks(total, AT_ONCE, all ? ALL_PARTS : PARTS).map((from) =>
          mapLayoutQuery(crash, map.address, { from, limit: AT_ONCE }),
        ),
  });
  const what = rowWords(map);
  if (!whole && parts.some((part) => !part.data)) {
    const failed = parts.some((part) => part.error);
    return (
      <p className="muted" role="status">
        {failed
          ? `How full the ${what}s are could not be read.`
          : `Reading how full the ${what}s are: ${count(parts.filter((part) => part.data).length)} of ${counted(parts.length, "part")}…`}
      </p>
    );
  }
  const rows = whole ? first.rows : parts.flatMap((part) => part.data?.rows ?? []);
  const sums = occupancy(rows);
  return (
    <div className="occupancy">
      <p>{words(sums, total, what)}</p>
      <Histogram sums={sums} total={total} what={what} />
      {sums.rows < total && !all && (
        <Button className="button" onPress={() => setAll(true)}>
          Count{" "}
          {total <= ALL_PARTS * AT_ONCE ? `all ${count(total)}` : `${count(ALL_PARTS * AT_ONCE)} of them`}
        </Button>
      )}
    </div>
  );
}

function words(sums: Sums, total: number, what: string): string {
  const { slots } = sums;
  const all = slots.full + slots.deleted + slots.empty + slots.evacuated;
  const share = all === 0 ? 0 : Math.round((100 * slots.full) / all);
  const scope =
    sums.rows < total
      ? `Of ${count(total)} ${what}s, ${count(sums.rows)} were read here: `
      : `${count(total)} ${what}s: `;
  const parts = [`${count(slots.full)} of ${counted(all, "slot")} are full (${share} %)`];
  if (slots.deleted > 0) parts.push(`${count(slots.deleted)} deleted`);
  if (slots.evacuated > 0) parts.push(`${count(slots.evacuated)} evacuated`);
  if (sums.overflow > 0)
    parts.push(
      `${counted(sums.overflow, "overflow bucket")} behind ${counted(sums.chained, what)}, ${sums.longest} in the longest chain`,
    );
  if (sums.broken > 0) parts.push(`${counted(sums.broken, what)} with problems`);
  return `${scope}${parts.join("; ")}.`;
}

function Histogram({ sums: { fill, rows }, total, what }: { sums: Sums; total: number; what: string }) {
  const sampled = rows < total ? `; a sample of ${count(rows)} out of ${count(total)}` : "";
  const most = Math.max(1, ...fill);
  const above = fill[SLOTS + 1] ?? 0;
  const bins = above > 0 ? fill : fill.slice(0, SLOTS + 1);
  const label = (bin: number) => (bin > SLOTS ? `over ${SLOTS}` : String(bin));
  return (
    <figure className="histogram">
      <div className="bars" aria-hidden="true">
        {bins.map((rows, bin) => (
          <div key={bin} className="bar">
            <span className="bar-count">{rows === 0 ? "" : count(rows)}</span>
            <span className="bar-room">
              <span className="bar-fill" style={{ height: `${(100 * rows) / most}%` }} />
            </span>
            <span className="bar-label">{label(bin)}</span>
          </div>
        ))}
      </div>
      <figcaption className="muted small">
        {what === "bucket" ? "Buckets" : "Groups"} by the entries that they hold
        {sampled}
      </figcaption>
      <details className="twin">
        <summary>As a table</summary>
        <table className="data narrow">
          <caption className="sr-only">
            How many {what}s hold how many entries{sampled}
          </caption>
          <thead>
            <tr>
              <th scope="col">Entries</th>
              <th scope="col" className="number">
                {what === "bucket" ? "Buckets" : "Groups"}
              </th>
            </tr>
          </thead>
          <tbody>
            {bins.map((rows, bin) => (
              <tr key={bin}>
                <th scope="row">{label(bin)}</th>
                <td className="number">{count(rows)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
