// An analysis that waits or is under way: how far it is, and a way to call it off.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "react-aria-components";
import { cancelAnalysis } from "../../api/actions";
import type { Crash } from "../../api/types";
import { count, counted, duration } from "../../lib/format";
import { useNow } from "../../lib/hooks";
import { STATUS_WORDS, STEP_WORDS } from "../../lib/words";
import { InlineFailure } from "../Failure";
import { Progress } from "../Progress";

const WAITING_WORDS = {
  received: "The evidence is stored. The analysis has not been asked for yet.",
  queued: "The evidence is stored. The next free worker takes it.",
} as const;

/** From here on the service does not count what is to be done before it. */
const COUNTED_JOBS = 1_000;

function aheadWords(jobs: number): string {
  if (jobs >= COUNTED_JOBS) return `The evidence is stored. At least ${count(jobs)} jobs are before it.`;
  return `The evidence is stored. ${counted(jobs, "job is", "jobs are")} before it.`;
}

function words(crash: Crash): string {
  const { step, jobs_ahead: ahead, not_before: notBefore } = crash.progress ?? {};
  if (crash.status === "analysing") return (step && STEP_WORDS[step]) ?? STEP_WORDS.reading ?? "";
  if (notBefore != null) return "An attempt was stopped. It is tried again in a moment.";
  if (ahead != null && ahead > 0) return aheadWords(ahead);
  return WAITING_WORDS[crash.status === "received" ? "received" : "queued"];
}

export function Working({ crash }: { crash: Crash }) {
  const now = useNow();
  const progress = crash.progress;
  const started = progress?.started_at;
  const seconds = started == null ? null : Math.max(0, (now - Date.parse(started)) / 1_000);
  const { done_bytes: done, total_bytes: total } = progress ?? {};
  return (
    <section className="state-panel working" aria-labelledby="state">
      <h2 id="state">{STATUS_WORDS[crash.status]}</h2>
      <p>{words(crash)} This page updates by itself.</p>
      {done != null && total != null && total > 0 ? (
        <Progress label="Evidence for the worker" sent={done} size={total} whole="all there" />
      ) : (
        <div className="running" aria-hidden="true" />
      )}
      <p className="muted small">
        {seconds !== null && seconds >= 10 && `For ${duration(seconds)}. `}
        {crash.attempts > 1 && `Attempt ${crash.attempts}: an earlier one was stopped.`}
      </p>
      {progress && <CallOff crash={crash} />}
    </section>
  );
}

function CallOff({ crash }: { crash: Crash }) {
  const client = useQueryClient();
  const off = useMutation({
    mutationFn: () => cancelAnalysis(crash.id),
    onSettled: () => client.invalidateQueries({ queryKey: ["crash", crash.id] }),
  });
  return (
    <>
      {/* Not `isPending`: that is announced by a reference to the button, which is gone a moment later. */}
      <Button className="button" onPress={() => !off.isPending && off.mutate()}>
        {off.isPending ? "Calling it off…" : "Call the analysis off"}
      </Button>
      {off.error && <InlineFailure error={off.error} />}
    </>
  );
}
