// Where a crash stands while there is no full report, and what to do about it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "react-aria-components";
import { reanalyse } from "../../api/actions";
import type { Crash } from "../../api/types";
import { counted } from "../../lib/format";
import { sentence } from "../../lib/titles";
import { STATUS_WORDS } from "../../lib/words";
import { Copyable } from "../Copy";
import { Fact, Facts } from "../Facts";
import { InlineFailure } from "../Failure";
import { Icon } from "../Icon";
import { BinaryDrop } from "./BinaryDrop";
import { Working } from "./Working";

export function CrashState({ crash }: { crash: Crash }) {
  switch (crash.status) {
    case "received":
    case "queued":
    case "analysing":
      return <Working crash={crash} />;
    case "waiting-for-binary":
      return <Waiting crash={crash} />;
    case "failed":
    case "quarantined":
      return <Failed crash={crash} />;
    case "done":
      return null;
  }
}

function Waiting({ crash }: { crash: Crash }) {
  const { missing } = crash;
  const others = crash.evidence.filter((item) => item.kind === "binary");
  return (
    <section className="state-panel waiting" aria-labelledby="state">
      <h2 id="state">What is missing</h2>
      <p>
        Stacks and values cannot be read without it. The analysis goes on by itself as soon as the executable
        with this build ID is here, whoever sends it. It has to hold debug information: built without -s and
        -w.
      </p>
      <Facts>
        <Fact name="Executable" why="the core does not say">
          {missing?.executable && <Copyable value={missing.executable} what="the executable's path" />}
        </Fact>
        <Fact name="Go build ID" why="not in the part of memory that the core holds">
          {missing?.build_ids.go && <Copyable value={missing.build_ids.go} what="the Go build ID" />}
        </Fact>
        <Fact name="GNU build ID" why="the executable has none, or the core does not hold it">
          {missing?.build_ids.gnu && <Copyable value={missing.build_ids.gnu} what="the GNU build ID" />}
        </Fact>
      </Facts>
      {others.length > 0 && (
        <p className="notice warn">
          <strong>What was sent with it is another executable:</strong>{" "}
          {others.map((item) => item.name ?? item.id).join(", ")}. Nothing was read with it.
        </p>
      )}
      <BinaryDrop crash={crash} />
    </section>
  );
}

function Failed({ crash }: { crash: Crash }) {
  return (
    <section className="state-panel failed" aria-labelledby="state">
      <h2 id="state">{crash.failure?.title ?? STATUS_WORDS[crash.status]}</h2>
      {crash.failure && <p>{sentence(crash.failure.detail)}</p>}
      <p className="muted">{attemptWords(crash)}The evidence is kept and can be downloaded below.</p>
      <Again crash={crash} />
    </section>
  );
}

function attemptWords(crash: Crash): string {
  const attempts = crash.failure?.attempts ?? crash.attempts;
  if (attempts === 0) return "";
  const made = counted(attempts, "attempt");
  if (crash.status === "quarantined") {
    return `It was set aside after ${made}, so that it holds up nothing else. `;
  }
  return `${made} made. `;
}

/** Has a crash analysed once more. */
export function Again({ crash }: { crash: Crash }) {
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () => reanalyse(crash.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["crash", crash.id] }),
  });
  return (
    <>
      <Button className="button" isPending={again.isPending} onPress={() => again.mutate()}>
        <Icon name="redo" />
        Analyse again
      </Button>
      {again.error && <InlineFailure error={again.error} />}
    </>
  );
}
