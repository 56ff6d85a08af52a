import type { TrendPoint } from "../api/types";
import { absoluteTime, count, hourOfDay } from "../lib/format";
import { bars, trendWords } from "../lib/trend";

const WIDTH = 96;
const HEIGHT = 24;

/** 24 hours as bars; screen readers are told the same in words. */
export function Sparkline({ trend, wide = false }: { trend: readonly TrendPoint[]; wide?: boolean }) {
  const width = wide ? WIDTH * 5 : WIDTH;
  const height = wide ? HEIGHT * 3 : HEIGHT;
  return (
    <span className={wide ? "sparkline wide" : "sparkline"} title={trendWords(trend)}>
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false" preserveAspectRatio="none">
        {bars(trend, width, height).map((bar) => (
          <rect
            key={bar.x}
            x={bar.x}
            y={bar.y}
            width={bar.width}
            height={bar.height}
            className={bar.empty ? "empty" : undefined}
          />
        ))}
      </svg>
      <span className="sr-only">{trendWords(trend)}</span>
    </span>
  );
}

/** The same numbers as a table. */
export function TrendTable({ trend }: { trend: readonly TrendPoint[] }) {
  return (
    <details className="twin">
      <summary>As a table</summary>
      <table className="data narrow">
        <caption>Crashes per hour</caption>
        <thead>
          <tr>
            <th scope="col">Hour from</th>
            <th scope="col" className="number">
              Crashes
            </th>
          </tr>
        </thead>
        <tbody>
          {trend.map((point) => (
            <tr key={point.at}>
              <th scope="row" title={absoluteTime(point.at)}>
                {hourOfDay(point.at)}
              </th>
              <td className="number">{count(point.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
