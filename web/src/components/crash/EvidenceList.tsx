import { contentUrl } from "../../api/actions";
import type { StoredEvidence } from "../../api/types";
import { bytes } from "../../lib/format";
import { sentence } from "../../lib/titles";
import { KIND_WORDS } from "../../lib/words";
import { Copyable } from "../Copy";
import { Icon } from "../Icon";
import { Time } from "../Time";
import { Unknown } from "../Unknown";

/** The files, with the digests by which they can be verified. */
export function EvidenceList({ evidence }: { evidence: readonly StoredEvidence[] }) {
  return (
    <section aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      <ul className="files">
        {evidence.map((item) => (
          <li key={item.id}>
            <div className="file-head">
              <strong>{KIND_WORDS[item.kind]}</strong>
              <span className="file-name">{item.name ?? <Unknown why="sent without a name" />}</span>
            </div>
            <div className="muted small">
              {bytes(item.size_bytes)}, received <Time at={item.received_at} />
            </div>
            <div className="small digest">
              <span className="muted">SHA-256</span>{" "}
              <Copyable value={item.sha256} what={`the digest of ${item.name ?? item.kind}`} />
            </div>
            {item.deleted ? (
              <p className="muted small">{sentence(item.deleted.reason)} The report stays.</p>
            ) : (
              <a className="small download" href={contentUrl(item.id)} download={item.name ?? item.id}>
                <Icon name="download" />
                Download<span className="sr-only"> {item.name ?? item.kind}</span>
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
