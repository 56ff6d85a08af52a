import { Button, DropZone, FileTrigger, type DropItem } from "react-aria-components";
import { Icon } from "./Icon";

interface FileDropProps {
  label: string;
  button: string;
  multiple: boolean;
  hint?: string;
  onFiles: (files: File[]) => void;
}

/** Takes files: dropped, chosen, or pasted. */
export function FileDrop({ label, button, multiple, hint, onFiles }: FileDropProps) {
  return (
    <DropZone
      className="drop"
      aria-label={label}
      onDrop={(event) => void dropped(event.items).then(onFiles)}
      getDropOperation={() => "copy"}
    >
      <Icon name="upload" />
      <span className="drop-label">{label}</span>
      <FileTrigger
        allowsMultiple={multiple}
        onSelect={(files) => {
          if (files) onFiles([...files]);
        }}
      >
        <Button className="button">{button}</Button>
      </FileTrigger>
      {hint !== undefined && <span className="muted small">{hint}</span>}
    </DropZone>
  );
}

async function dropped(items: DropItem[]): Promise<File[]> {
  const files = items.filter((item) => item.kind === "file");
  return Promise.all(files.map((item) => item.getFile()));
}
