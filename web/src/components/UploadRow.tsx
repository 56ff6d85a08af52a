import type { Dispatch } from "react";
import { Button } from "react-aria-components";
import type { EvidenceKind } from "../api/types";
import { bytes } from "../lib/format";
import type { Change, Item } from "../lib/upload-items";
import { KIND_WORDS } from "../lib/words";
import { InlineFailure } from "./Failure";
import { Icon } from "./Icon";
import { Progress } from "./Progress";

interface UploadRowProps {
  item: Item;
  busy: boolean;
  dispatch: Dispatch<Change>;
}

export function UploadRow({ item, busy, dispatch }: UploadRowProps) {
  const { key, file } = item;
  return (
    <li>
      <div className="upload-row">
        <span className="file-name">{file.name}</span>
        <span className="muted small">{bytes(file.size)}</span>
        <label className="inline-label">
          <span className="sr-only">Kind of {file.name}</span>
          <select
            value={item.kind}
            disabled={busy}
            onChange={(event) => dispatch({ do: "kind", key, kind: event.target.value as EvidenceKind })}
          >
            {Object.entries(KIND_WORDS).map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <Button
          className="button quiet icon-only"
          aria-label={`Remove ${file.name}`}
          isDisabled={busy}
          onPress={() => dispatch({ do: "remove", key })}
        >
          <Icon name="close" />
        </Button>
      </div>
      {item.stored !== null ? (
        <p className="small good">
          <Icon name="check" /> Received
        </p>
      ) : (
        item.sent > 0 && <Progress label={`Sending ${file.name}`} sent={item.sent} size={file.size} />
      )}
      {item.error !== null && <InlineFailure error={item.error} />}
    </li>
  );
}
