import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { evidence } from "../../api/actions";
import type { BuildIds, Crash, StoredBinary } from "../../api/types";
import { upload } from "../../api/upload";
import { announce } from "../../lib/announce";
import { Copyable } from "../Copy";
import { InlineFailure } from "../Failure";
import { Progress } from "../Progress";
import { FileDrop } from "../FileDrop";

/** Takes the missing executable; says so if it is another one. */
export function BinaryDrop({ crash }: { crash: Crash }) {
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const send = useMutation({
    mutationFn: async (binary: File) => {
      const { id } = await upload({ kind: "binary", file: binary }, setSent);
      return identified(id);
    },
    onSuccess: () => {
      announce("The executable is here.");
      return client.invalidateQueries({ queryKey: ["crash", crash.id] });
    },
  });
  const wrong = send.data && mismatch(crash.missing?.build_ids, send.data);
  return (
    <div className="binary-drop">
      <FileDrop
        label="Drop the executable here"
        button="Choose the executable"
        multiple={false}
        onFiles={([chosen]) => {
          if (!chosen) return;
          setFile(chosen);
          setSent(0);
          send.mutate(chosen);
        }}
      />
      {send.isPending && file && <Progress label={`Sending ${file.name}`} sent={sent} size={file.size} />}
      {send.error && <InlineFailure error={send.error} />}
      {wrong && send.data && <WrongBinary binary={send.data} />}
      {send.isSuccess && !wrong && (
        <p className="notice good">The executable is here. The analysis starts by itself.</p>
      )}
    </div>
  );
}

function WrongBinary({ binary }: { binary: StoredBinary }) {
  const { gnu, go } = binary.build_ids;
  return (
    <div className="notice warn" role="alert">
      <strong>This is not the executable that crashed.</strong>{" "}
      {binary.problem ?? (
        <>
          Its build ID is <Copyable value={go ?? gnu ?? "unknown"} what="the build ID of what was sent" />.
        </>
      )}{" "}
      It is kept, for crashes of its own. This crash goes on waiting.
    </div>
  );
}

/** Reads until the server knows which executable it is; a worker does that soon after the upload. */
async function identified(id: string): Promise<StoredBinary | null> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const { binary } = await evidence(id);
    if (binary?.identified || binary?.problem) return binary;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return null;
}

function mismatch(wanted: BuildIds | undefined, binary: StoredBinary): boolean {
  if (wanted === undefined) return false;
  const differs = (a: string | null | undefined, b: string | null | undefined) =>
    a != null && b != null && a !== b;
  if (binary.problem !== null) return true;
  return differs(wanted.go, binary.build_ids.go) || differs(wanted.gnu, binary.build_ids.gnu);
}
