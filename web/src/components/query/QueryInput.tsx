// A field for a query or predicate, with what could be typed next as a list below it.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { completionQuery } from "../../api/search";
import type { CompletionItem } from "../../api/types";
import { counted } from "../../lib/format";
import { byteOf, completed, stillAt } from "../../lib/query-text";

const PAUSE = 120;
/** Crashes are counted up to this for a completion. */
const MOST = 1_000;

interface QueryInputProps {
  id: string;
  value: string;
  placeholder?: string;
  /** It cannot be understood; words about it are in the element of this id. */
  invalid?: string | undefined;
  describedBy?: string | undefined;
  input?: RefObject<HTMLInputElement | null>;
  onChange: (value: string) => void;
}

/** Enter without a chosen completion is left to the form around it. */
export function QueryInput(props: QueryInputProps) {
  const { id, value, placeholder, invalid, describedBy, onChange } = props;
  const own = useRef<HTMLInputElement>(null);
  const input = props.input ?? own;
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  // By its text: it stays chosen while the list below it changes.
  const [chosenText, setChosenText] = useState<string | null>(null);
  const asked = useLater(`${byteOf(value, cursor)}\n${value}`, PAUSE);
  const completion = useCompletion(asked, open);
  // What was asked for a moment ago is shown as far as it still fits.
  const items = (completion?.items ?? []).filter(
    (item) => completion && stillAt(completion, item.text, value, cursor) !== null,
  );
  const active = items.findIndex((item) => item.text === chosenText);
  const shown = open && items.length > 0;
  const list = `${id}-list`;
  const optionId = (index: number) => `${id}-option-${index}`;

  const follow = () => setCursor(input.current?.selectionStart ?? 0);
  const accept = (item: CompletionItem) => {
    const place = completion ? stillAt(completion, item.text, value, cursor) : null;
    if (!place) return;
    const next = completed(value, place, item.text);
    onChange(next.text);
    setChosenText(null);
    setOpen(next.unfinished);
    setCursor(next.cursor);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.cursor, next.cursor);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = items[active];
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp": {
        event.preventDefault();
        if (!shown) {
          setOpen(true);
          return;
        }
        const step = event.key === "ArrowDown" ? 1 : -1;
        // One place more than there are items: back in the text.
        const places = items.length + 1;
        setChosenText(items[((active + 1 + step + places) % places) - 1]?.text ?? null);
        return;
      }
      case "Enter":
        if (shown && chosen) {
          event.preventDefault();
          accept(chosen);
        } else setOpen(false);
        return;
      case "Tab":
        if (shown && chosen && !event.shiftKey) {
          event.preventDefault();
          accept(chosen);
        }
        return;
      case "Escape":
        if (open) {
          // Only the list closes, not what the field stands in.
          event.preventDefault();
          event.stopPropagation();
          setOpen(false);
          setChosenText(null);
        }
        return;
    }
  };
  return (
    <div className="query-input">
      <input
        ref={input}
        id={id}
        className="code-input"
        role="combobox"
        type="text"
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={list}
        aria-activedescendant={shown && active >= 0 ? optionId(active) : undefined}
        aria-invalid={invalid !== undefined ? true : undefined}
        aria-describedby={[invalid, describedBy].filter(Boolean).join(" ") || undefined}
        onChange={(event) => {
          onChange(event.target.value);
          setCursor(event.target.selectionStart ?? event.target.value.length);
          setOpen(true);
          setChosenText(null);
        }}
        onKeyDown={onKeyDown}
        onKeyUp={follow}
        onClick={() => {
          follow();
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
          setChosenText(null);
        }}
      />
      <div className="completions" id={list} role="listbox" aria-label="What could come here" hidden={!shown}>
        {shown &&
          items.map((item, index) => (
            // The field keeps the focus: keys are handled there.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={`${item.kind}/${item.text}`}
              id={optionId(index)}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => accept(item)}
            >
              <code>{item.text}</code>
              <span className="muted small">{itemWords(item)}</span>
            </div>
          ))}
      </div>
      <span className="sr-only" role="status">
        {shown ? counted(items.length, "suggestion") : ""}
      </span>
    </div>
  );
}

function itemWords({ kind, help, crashes }: CompletionItem): string {
  if (help != null) return help;
  if (crashes == null) return kind === "key" ? "a label" : "";
  return crashes >= MOST
    ? `${counted(MOST, "crash", "crashes")} or more`
    : counted(crashes, "crash", "crashes");
}

/** What could be typed at a place: `asked` is the byte and the text, each on a line. */
function useCompletion(asked: string, open: boolean) {
  const line = asked.indexOf("\n");
  const [at, q] = [Number(asked.slice(0, line)), asked.slice(line + 1)];
  return useQuery({ ...completionQuery(q, at), enabled: open }).data;
}

/** A value once it has rested for `pause` milliseconds. */
function useLater(value: string, pause: number): string {
  const [later, setLater] = useState(value);
  useEffect(() => {
    if (later === value) return undefined;
    const timer = setTimeout(() => setLater(value), pause);
    return () => clearTimeout(timer);
  }, [value, later, pause]);
  return later;
}

/** The id of a field, and of the words about what is wrong with it. */
export function useQueryIds() {
  const id = useId();
  return { id, problem: `${id}-problem` };
}
