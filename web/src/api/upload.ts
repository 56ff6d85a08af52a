import { noteStatus } from "../lib/sign-in";
import { ProblemError, UnreachableError, toProblem } from "./errors";
import type { EvidenceKind, StoredEvidence } from "./types";

export interface Upload {
  kind: EvidenceKind;
  file: File;
  /** `gzip` or `zstd` where the file is compressed as a whole; the server unpacks while it reads. */
  encoding?: "gzip" | "zstd" | undefined;
}

/**
 * Streams a file to the server. XMLHttpRequest, because fetch does not tell how much was sent.
 * `onProgress` is given the bytes sent so far.
 */
export function upload(
  { kind, file, encoding }: Upload,
  onProgress: (sent: number) => void,
  signal?: AbortSignal,
): Promise<StoredEvidence> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/v1/blobs/${kind}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (encoding) request.setRequestHeader("Content-Encoding", encoding);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const answer = parse(request.responseText);
      noteStatus(request.status);
      if (request.status >= 200 && request.status < 300) {
        resolve(answer as StoredEvidence);
      } else {
        reject(new ProblemError(toProblem(answer, request.status, request.statusText)));
      }
    };
    request.onerror = () => reject(new UnreachableError());
    request.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
