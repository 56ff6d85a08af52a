import type { ProblemError } from "../../api/errors";
import { placeOf } from "../../lib/query-text";

/** What is wrong with a query or predicate, with a mark at the place. */
export function QueryProblem({ error, text, id }: { error: ProblemError; text: string; id?: string }) {
  const { title, detail, position, length, expected = [] } = error.problem;
  const place = position == null ? null : placeOf(text, position, length ?? 0);
  const [what] = detail.split("; expected: ");
  return (
    <div className="notice bad query-problem" role="alert" id={id}>
      <p>
        <strong>{title}.</strong> {(what ?? detail).replace(/\.$/, "")}.
      </p>
      {place && (
        <pre className="marked">
          <code>
            {place.before}
            {place.at === "" ? <mark className="caret" /> : <mark>{place.at}</mark>}
            {place.after}
          </code>
          <span className="sr-only"> at letter {Array.from(place.before).length + 1}</span>
        </pre>
      )}
      {expected.length > 0 && (
        <p className="muted small">
          Right there would be{" "}
          {expected.slice(0, EXPECTED).map((one, index) => (
            <span key={one}>
              {index > 0 && ", "}
              <code>{one}</code>
            </span>
          ))}
          {expected.length > EXPECTED && `, or one of ${expected.length - EXPECTED} others`}.
        </p>
      )}
    </div>
  );
}

const EXPECTED = 8;
