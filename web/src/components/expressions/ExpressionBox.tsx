// Expressions in a frame of a goroutine, with their values as trees.
import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, type KeyboardEvent, type RefObject, useEffect, useId, useState } from "react";
import { Button } from "react-aria-components";
import { evalQuery } from "../../api/queries";
import type { EvalAnswer, Frame } from "../../api/types";
import { announce } from "../../lib/announce";
import { recalled, remembered, storeHistory, storedHistory } from "../../lib/expressions";
import { position } from "../../lib/frames";
import { tree } from "../../lib/values";
import { breakable } from "../Code";
import { Copyable } from "../Copy";
import { Icon } from "../Icon";
import { ExpressionFailure } from "./ExpressionFailure";
import { ValueTree } from "./ValueTree";

interface ExpressionBoxProps {
  crash: string;
  goroutine: number;
  frames: readonly Frame[];
  frame: number;
  /** The expression that the URL names. */
  expr: string | undefined;
  input: RefObject<HTMLInputElement | null>;
  onAsk: (frame: number, expr: string | undefined) => void;
}

export function ExpressionBox({ crash, goroutine, frames, frame, expr, input, onAsk }: ExpressionBoxProps) {
  const id = useId();
  const [draft, setDraft] = useState(expr ?? "");
  const [known, setKnown] = useState(expr);
  const [history, setHistory] = useState(storedHistory);
  const [at, setAt] = useState<number | null>(null);
  const [written, setWritten] = useState("");
  if (expr !== known) {
    setKnown(expr);
    setDraft(expr ?? "");
  }
  const ask = (wanted: string) => {
    const kept = remembered(history, wanted);
    setHistory(kept);
    storeHistory(kept);
    setAt(null);
    onAsk(frame, wanted);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const wanted = draft.trim();
    if (wanted !== "") ask(wanted);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    if (history.length === 0) return;
    event.preventDefault();
    if (at === null && event.key === "ArrowUp") setWritten(draft);
    const to = recalled(history, at, event.key === "ArrowUp" ? "up" : "down");
    setAt(to);
    setDraft(to === null ? (at === null ? draft : written) : (history[to] ?? ""));
  };
  return (
    <section aria-labelledby="evaluate" className="evaluate">
      <h2 id="evaluate">
        Evaluate
        <span className="h-note">expressions like Go's, read from the memory of the crash</span>
      </h2>
      <form className="ask" onSubmit={submit}>
        <div className="ask-frame">
          <label htmlFor={`${id}-frame`} className="filter-label">
            In frame
          </label>
          <select
            id={`${id}-frame`}
            value={frame}
            onChange={(event) => onAsk(Number(event.target.value), expr)}
          >
            {frames.map((one, index) => (
              <option key={index} value={index}>
                {index}: {one.function} {position(one) ?? ""}
              </option>
            ))}
          </select>
        </div>
        <label htmlFor={id} className="filter-label">
          Expression
        </label>
        <div className="ask-row">
          <input
            ref={input}
            id={id}
            className="code-input"
            value={draft}
            placeholder={example(frames[frame])}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            aria-describedby={`${id}-help`}
            onChange={(event) => {
              setDraft(event.target.value);
              setAt(null);
            }}
            onKeyDown={onKeyDown}
          />
          <Button type="submit" className="button primary">
            Evaluate
          </Button>
          {expr !== undefined && (
            <Button className="button quiet" onPress={() => onAsk(frame, undefined)}>
              <Icon name="close" />
              Clear
            </Button>
          )}
        </div>
        <p id={`${id}-help`} className="muted small">
          Fields, indexes, map keys, <code>*</code> and <code>&amp;</code>, <code>len</code>, casts. Enter
          evaluates; the arrow keys bring back what was asked before.
        </p>
      </form>
      {expr !== undefined && (
        <Result key={`${frame}/${expr}`} crash={crash} question={{ expr, goroutine, frame }} />
      )}
    </section>
  );
}

/** A variable of the frame, to show what can be asked. */
function example(frame: Frame | undefined): string {
  const local = frame?.locals.find(({ value }) => value != null);
  return local?.name ?? 'c.users["k1"].Name';
}

interface Question {
  expr: string;
  goroutine: number;
  frame: number;
}

function Result({ crash, question }: { crash: string; question: Question }) {
  const query = useQuery(evalQuery(crash, question));
  const answer = query.data;
  useEffect(() => {
    if (answer) announce(`${question.expr} is ${answer.text}`);
  }, [answer, question.expr]);
  if (query.error && !query.isFetching) return <ExpressionFailure error={query.error} text={question.expr} />;
  if (!answer)
    return (
      <p className="muted asking" role="status">
        Reading memory…
      </p>
    );
  return (
    <div className="result">
      <p className="result-head">
        <code className="result-expr">{breakable(answer.expr)}</code>{" "}
        <code className="local-type">{answer.type ?? <span className="unknown">type unknown</span>}</code>
        {answer.address != null && (
          <span className="small">
            <span className="muted">at</span> <Copyable value={answer.address} what="the value's address" />
          </span>
        )}
      </p>
      <Value answer={answer} />
    </div>
  );
}

function Value({ answer }: { answer: EvalAnswer }) {
  return <ValueTree node={tree(answer.value)} name={answer.expr} />;
}
