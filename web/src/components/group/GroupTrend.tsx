import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { groupTrendQuery } from "../../api/queries";
import { count } from "../../lib/format";
import { TREND_SPANS, type TrendSpan } from "../../lib/group-search";
import { stepLabel, trendWords } from "../../lib/trend";
import { InlineFailure } from "../Failure";
import { Sparkline, TrendTable } from "../Trend";

/** Crashes over time, as bars and as a table. */
export function GroupTrend({ id, span }: { id: string; span: TrendSpan }) {
  const query = useQuery({ ...groupTrendQuery(id, span), placeholderData: keepPreviousData });
  const trend = query.data?.items;
  const words = TREND_SPANS[span].words;
  const most = Math.max(0, ...(trend ?? []).map((point) => point.count));
  const first = trend?.[0];
  return (
    <section aria-labelledby="trend">
      <h2 id="trend">
        Crashes over time
        {trend && <span className="h-note">{trendWords(trend, words)}</span>}
      </h2>
      <nav className="views" aria-label="How far back">
        {Object.entries(TREND_SPANS).map(([name, { label }]) => (
          <Link
            key={name}
            to="."
            search={(name === "day" ? {} : { trend: name }) as never}
            replace
            resetScroll={false}
            aria-current={span === name ? "page" : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {query.error && !trend ? (
        <InlineFailure error={query.error} />
      ) : !trend || !first ? (
        <span className="bone trend-bone" aria-hidden="true" />
      ) : (
        <div className={query.isPlaceholderData ? "stale" : undefined}>
          <div className="trend-chart">
            <span className="trend-most muted small" aria-hidden="true">
              {count(most)}
            </span>
            <Sparkline trend={trend} span={words} wide />
          </div>
          <p className="trend-axis" aria-hidden="true">
            <span>{stepLabel(trend, first)}</span>
            <span>now</span>
          </p>
          <TrendTable trend={trend} />
        </div>
      )}
    </section>
  );
}
