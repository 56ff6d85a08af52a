import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useReducer, useState } from "react";
import { Button } from "react-aria-components";
import { createCrash } from "../api/actions";
import { upload } from "../api/upload";
import type { EvidenceKind } from "../api/types";
import { FileDrop } from "../components/FileDrop";
import { InlineFailure } from "../components/Failure";
import { HowToSend } from "../components/HowToSend";
import { UploadRow } from "../components/UploadRow";
import { HEAD_BYTES, guessKind } from "../lib/evidence-file";
import { announce } from "../lib/announce";
import { useTitle } from "../lib/hooks";
import { type Item, itemsReducer, newCrash, sendable } from "../lib/upload-items";

/** Takes a crash: files with their kinds, and what is known about where it happened. */
export default function UploadPage() {
  useTitle("Send a crash");
  const [items, dispatch] = useReducer(itemsReducer, []);
  const [service, setService] = useState("");
  const [hostname, setHostname] = useState("");
  const navigate = useNavigate();
  const client = useQueryClient();

  const send = useMutation({
    mutationFn: async () => {
      const ids: { kind: EvidenceKind; id: string }[] = [];
      // Executables first, so that a core never waits for one that is on its way.
      for (const item of items.toSorted((a, b) => rank(a) - rank(b))) {
        const stored = await sendItem(item);
        ids.push({ kind: item.kind, id: stored });
      }
      return createCrash(newCrash(ids, service, hostname));
    },
    onSuccess: async (crash) => {
      announce("The crash was received.");
      void client.invalidateQueries({ queryKey: ["groups"] });
      await navigate({ to: "/crashes/$id", params: { id: crash.id } });
    },
  });

  async function sendItem(item: Item): Promise<string> {
    if (item.stored !== null) return item.stored;
    try {
      const { id } = await upload(item, (sent) => dispatch({ do: "sent", key: item.key, sent }));
      dispatch({ do: "stored", key: item.key, id });
      return id;
    } catch (error) {
      dispatch({ do: "failed", key: item.key, error });
      throw error;
    }
  }

  async function add(files: File[]) {
    for (const file of files) {
      const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
      dispatch({ do: "add", file, guess: guessKind(head, file.name) });
    }
    announce(`${files.length} added.`);
  }

  const reason = sendable(items);
  const itemFailed = items.some((item) => item.error !== null);
  return (
    <div className="page narrow-page">
      <h1>Send a crash</h1>
      <p className="lead">
        A core file and the executable that crashed tell most. What the program printed before it died is
        worth sending even alone. Files are told apart by their content.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <FileDrop
          label="Drop core, executable and log here"
          button="Choose files"
          multiple
          hint="Any size; plain, compressed (gzip, zstd, xz, lz4) or together in a zip or tar"
          onFiles={(files) => void add(files)}
        />
        {items.length > 0 && (
          <ul className="upload-items" aria-label="Files to send">
            {items.map((item) => (
              <UploadRow key={item.key} item={item} busy={send.isPending} dispatch={dispatch} />
            ))}
          </ul>
        )}
        <div className="fields">
          <label>
            <span>
              Service <span className="muted">(optional)</span>
            </span>
            <input value={service} onChange={(event) => setService(event.target.value)} maxLength={200} />
          </label>
          <label>
            <span>
              Host <span className="muted">(optional)</span>
            </span>
            <input value={hostname} onChange={(event) => setHostname(event.target.value)} maxLength={200} />
          </label>
        </div>
        {send.error && !itemFailed && <InlineFailure error={send.error} />}
        <div className="submit">
          <Button
            type="submit"
            className="button primary large"
            isDisabled={reason !== null}
            isPending={send.isPending}
          >
            {send.isPending ? "Sending…" : "Send and analyse"}
          </Button>
          {reason !== null && <span className="muted">{reason}</span>}
        </div>
      </form>
      <section aria-labelledby="elsewhere">
        <h2 id="elsewhere">From a terminal</h2>
        <HowToSend />
      </section>
    </div>
  );
}

function rank(item: Item): number {
  return item.kind === "binary" ? 0 : 1;
}
