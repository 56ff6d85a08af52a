import type { TrendPoint } from "../api/types";
import { absoluteTime, count } from "../lib/format";
import { bars, isDaily, stepLabel, trendWords } from "../lib/trend";

const WIDTH = 96;
const HEIGHT = 24;
/** Steps that a table shows all of. */
const SHORT = 31;

interface SparklineProps {
  trend: readonly TrendPoint[];
  /** How far back it goes, in words. */
  span?: string;
  wide?: boolean;
}

/** Hours or days as bars; screen readers are told the same in words. */
export function Sparkline({ trend, span = "24 hours", wide = false }: SparklineProps) {
  const words = trendWords(trend, span);
  const width = wide ? WIDTH * 5 : WIDTH;
  const height = wide ? HEIGHT * 3 : HEIGHT;
  return (
    <span className={wide ? "sparkline wide" : "sparkline"} title={words}>
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
      <span className="sr-only">{words}</span>
    </span>
  );
}

/** The same numbers as a table. */
export function TrendTable({ trend }: { trend: readonly TrendPoint[] }) {
  // Long tables hold what happened: steps without a crash are left out of them.
  const long = trend.length > SHORT;
  const shown = long ? trend.filter((point) => point.count > 0) : trend;
  return (
    <details className="twin">
      <summary>As a table</summary>
      <table className="data narrow">
        <caption>Crashes per {isDaily(trend) ? "day, in UTC" : "hour"}</caption>
        <thead>
          <tr>
            <th scope="col">{isDaily(trend) ? "Day" : "Hour from"}</th>
            <th scope="col" className="number">
              Crashes
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((point) => (
            <tr key={point.at}>
              <th scope="row" title={absoluteTime(point.at)}>
                {stepLabel(trend, point)}
              </th>
              <td className="number">{count(point.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
