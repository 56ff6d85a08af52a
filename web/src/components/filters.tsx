import { type ReactNode, useEffect, useId, useState } from "react";
import { Button } from "react-aria-components";
import { useMedia } from "../lib/hooks";
import { Icon } from "./Icon";

interface ChoiceProps {
  label: string;
  value: string | undefined;
  /** What stands for no choice; without it, one has to be chosen. */
  any?: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string | undefined) => void;
}

/** The platform's own list: phones show it best. */
export function Choice({ label, value, any, options, onChange }: ChoiceProps) {
  return (
    <label className={value !== undefined && any !== undefined ? "choice set" : "choice"}>
      <span className="filter-label">{label}</span>
      <select value={value ?? ""} onChange={(event) => onChange(event.target.value || undefined)}>
        {any !== undefined && <option value="">{any}</option>}
        {value !== undefined && !options.some((option) => option.value === value) && (
          <option value={value}>{value}</option>
        )}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SearchTextProps {
  label: string;
  value: string | undefined;
  placeholder: string;
  narrow?: boolean;
  onChange: (value: string | undefined) => void;
}

const PAUSE = 250;

/** A text that is applied when typing pauses. */
export function SearchText({ label, value, placeholder, narrow = false, onChange }: SearchTextProps) {
  const id = useId();
  const [draft, setDraft] = useState(value ?? "");
  const [known, setKnown] = useState(value);
  // Going back, or clearing, changes the URL; the field follows.
  if (value !== known) {
    setKnown(value);
    if ((value ?? "") !== draft.trim()) setDraft(value ?? "");
  }
  useEffect(() => {
    const wanted = draft.trim() === "" ? undefined : draft.trim();
    if (wanted === value) return undefined;
    const timer = setTimeout(() => onChange(wanted), PAUSE);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- onChange is new on every render
  }, [draft, value]);
  return (
    <div className={narrow ? "search-text narrow" : "search-text"}>
      <label htmlFor={id} className="filter-label">
        {label}
      </label>
      <input
        id={id}
        type="search"
        value={draft}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
      />
    </div>
  );
}

/** Filters in a row; on a phone behind a line, unless something is set. */
export function Filters({ set, children }: { set: boolean; children: ReactNode }) {
  const phone = useMedia("(max-width: 760px)");
  const row = <div className="filters">{children}</div>;
  return (
    <search>
      {phone ? (
        <details className="filters-fold" open={set}>
          <summary>Filter and order</summary>
          {row}
        </details>
      ) : (
        row
      )}
    </search>
  );
}

export function Clear({ onPress }: { onPress: () => void }) {
  return (
    <Button className="button quiet" onPress={onPress}>
      <Icon name="close" />
      Clear
    </Button>
  );
}
