// Grouping all history anew: tried first, then done, with progress; and the same for new signatures.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  applyTrial,
  regroup,
  regroupingQuery,
  tryRegrouping,
  trialQuery,
  trySignatures,
} from "../../api/rules";
import { announce } from "../../lib/announce";
import { count, counted } from "../../lib/format";
import { sentence } from "../../lib/titles";
import { InlineFailure } from "../Failure";
import { PendingButton } from "../PendingButton";
import { Time } from "../Time";
import { Moves } from "./PlanView";

export function Regroup() {
  const client = useQueryClient();
  const state = useQuery(regroupingQuery());
  const trial = useMutation({ mutationFn: tryRegrouping });
  const run = useMutation({
    mutationFn: regroup,
    onSuccess: (started) => {
      client.setQueryData(regroupingQuery().queryKey, started);
      trial.reset();
      announce("All history is being grouped anew.");
    },
  });
  const last = state.data;
  const busy = last != null && last.finished_at == null;
  return (
    <section aria-labelledby="regroup">
      <h2 id="regroup">Group all history anew</h2>
      <p className="muted">
        By the signatures and rules as they are now. What people decided stays. A saved rule does this by
        itself.
      </p>
      {last != null && (
        <div className="progress-of">
          {busy && <progress aria-label="Grouping anew" value={last.done} max={Math.max(1, last.total)} />}
          <p role="status">
            {busy
              ? `${count(last.done)} of ${counted(last.total, "crash", "crashes")} looked at, ${count(last.moved)} moved.`
              : `${last.error == null ? "Done" : "Ended too soon"}: ${counted(last.done, "crash", "crashes")} looked at, ${count(last.moved)} moved.`}{" "}
            {last.error != null && sentence(last.error)}{" "}
            <span className="muted">
              {sentence(last.reason)} <Time at={last.finished_at ?? last.started_at} />
            </span>
          </p>
        </div>
      )}
      {state.error && <InlineFailure error={state.error} />}
      <div className="panel-actions">
        <PendingButton
          className="button"
          pending={trial.isPending}
          isDisabled={busy}
          onPress={() => trial.mutate()}
        >
          {trial.isPending ? "Trying…" : "Say what would change"}
        </PendingButton>
        {trial.data && (
          <PendingButton className="button primary" pending={run.isPending} onPress={() => run.mutate()}>
            Group anew
          </PendingButton>
        )}
      </div>
      {(trial.error ?? run.error) && <InlineFailure error={trial.error ?? run.error} />}
      {trial.data && (
        <div className="plan" role="status">
          {trial.data.moves.length === 0 ? (
            <p>
              Nothing would change: all {counted(trial.data.looked_at, "crash is", "crashes are")} where they
              belong.
            </p>
          ) : (
            <Moves moves={trial.data.moves} />
          )}
        </div>
      )}
      <Signatures />
    </section>
  );
}

/** The signatures of the program that runs now, tried on crashes that an older one signed. */
function Signatures() {
  const client = useQueryClient();
  // Until the first crash was tried, only whoever began it knows that it was begun.
  const [begun, setBegun] = useState<"trying" | "applying" | null>(null);
  const query = useQuery(trialQuery(begun !== null));
  const refresh = () => client.invalidateQueries({ queryKey: ["signature-trial"] });
  const start = useMutation({
    mutationFn: trySignatures,
    onSuccess: ({ queued }) => {
      announce(`${counted(queued, "crash is", "crashes are")} analysed for the trial.`);
      setBegun("trying");
      return refresh();
    },
  });
  const apply = useMutation({
    mutationFn: applyTrial,
    onSuccess: ({ queued }) => {
      announce(`${counted(queued, "crash is", "crashes are")} analysed again.`);
      setBegun("applying");
      return refresh();
    },
  });
  const trial = query.data;
  if (query.error) return <InlineFailure error={query.error} />;
  if (!trial) return null;
  const started = trial.total > 0 || begun === "trying";
  const busy = started && !trial.finished;
  const applying = begun === "applying" && trial.changed > 0;
  return (
    <>
      <h3>Try the signatures of this version</h3>
      <p className="muted">
        Each crash is analysed again, and nothing of that is kept but the signature, until it is applied.
        {trial.without_evidence > 0 &&
          ` ${counted(trial.without_evidence, "crash has", "crashes have")} lost the core by policy and would stay.`}
      </p>
      {started && (
        <div className="progress-of">
          {busy && (
            <progress aria-label="Trying signatures" value={trial.done} max={Math.max(1, trial.total)} />
          )}
          <p role="status">
            {!busy && "Done: "}
            {count(trial.done)} of {counted(trial.total, "crash", "crashes")} tried;{" "}
            {trial.changed === 0
              ? `none has another signature${busy ? " so far" : ""}.`
              : `${counted(trial.changed, "crash has", "crashes have")} another signature${applying ? ", and are analysed again" : ""}.`}
          </p>
        </div>
      )}
      <div className="panel-actions">
        <PendingButton
          className="button"
          pending={start.isPending}
          isDisabled={busy || applying}
          onPress={() => start.mutate()}
        >
          {started ? "Try them again" : "Try them"}
        </PendingButton>
        {trial.changed > 0 && !applying && (
          <PendingButton
            className="button primary"
            pending={apply.isPending}
            isDisabled={busy}
            onPress={() => apply.mutate()}
          >
            Apply to {counted(trial.changed, "crash", "crashes")}
          </PendingButton>
        )}
      </div>
      {(start.error ?? apply.error) && <InlineFailure error={start.error ?? apply.error} />}
      {trial.moves.length > 0 && (
        <div className="plan">
          <Moves moves={trial.moves} />
        </div>
      )}
    </>
  );
}
