import { ProblemError } from "../../api/errors";
import { columnOf, errorWords, markedAt } from "../../lib/expressions";
import { sentence } from "../../lib/titles";
import { Prose } from "../Code";
import { InlineFailure } from "../Failure";

/** Why an expression or key has no value, with a mark at the place that it is about. */
export function ExpressionFailure({ error, text }: { error: unknown; text: string }) {
  if (!(error instanceof ProblemError) || !["expression", "too-much"].includes(error.slug)) {
    return <InlineFailure error={error} />;
  }
  const { detail, kind, position } = error.problem;
  const marked = position == null ? null : markedAt(text, position);
  return (
    <div className="notice bad expression-error" role="alert">
      <strong>{errorWords(kind)}.</strong> <Prose text={sentence(detail)} />
      {marked && (
        <pre className="marked">
          <code>
            {marked.before}
            <mark>{marked.at === "" ? " " : marked.at}</mark>
            {marked.after}
          </code>
          <span className="sr-only"> at letter {columnOf(marked)}</span>
        </pre>
      )}
    </div>
  );
}
