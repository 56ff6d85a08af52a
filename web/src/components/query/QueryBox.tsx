// The box of the lists and of the search: a query, what is wrong with it, and those that are kept.
import { type ReactNode, type SyntheticEvent, useState } from "react";
import { Link } from "@tanstack/react-router";
import { Button } from "react-aria-components";
import { isBadQuery } from "../../api/search";
import { Icon } from "../Icon";
import { QueryInput, useQueryIds } from "./QueryInput";
import { QueryProblem } from "./QueryProblem";
import { SavedQueries } from "./SavedQueries";

interface QueryBoxProps {
  label: string;
  /** The query of the URL. */
  value: string | undefined;
  /** What the server said to it. */
  error: unknown;
  placeholder?: string;
  onChange: (query: string | undefined) => void;
  /** Stands behind the buttons. */
  children?: ReactNode;
}

export function QueryBox({ label, value, error, placeholder, onChange, children }: QueryBoxProps) {
  const { id, problem } = useQueryIds();
  const [draft, setDraft] = useState(value ?? "");
  const [known, setKnown] = useState(value);
  // Going back, choosing a saved one or clearing changes the URL; the field follows.
  if (value !== known) {
    setKnown(value);
    if ((value ?? "") !== draft.trim()) setDraft(value ?? "");
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    onChange(draft.trim() === "" ? undefined : draft.trim());
  };
  // What is typed since is not what the server spoke of.
  const bad = isBadQuery(error) && value !== undefined ? error : null;
  return (
    <search className="query-box">
      <form onSubmit={submit}>
        <label htmlFor={id} className="filter-label">
          {label}
        </label>
        <div className="query-row">
          <QueryInput
            id={id}
            value={draft}
            placeholder={placeholder ?? "class:nil-map-write service:auth since:24h"}
            invalid={bad ? problem : undefined}
            onChange={setDraft}
          />
          <Button type="submit" className="button primary">
            Search
          </Button>
          {(value !== undefined || draft !== "") && (
            <Button
              className="button quiet"
              onPress={() => {
                setDraft("");
                onChange(undefined);
              }}
            >
              <Icon name="close" />
              Clear
            </Button>
          )}
          {children}
        </div>
      </form>
      {bad && <QueryProblem error={bad} text={value ?? ""} id={problem} />}
      <div className="query-more">
        <SavedQueries current={draft.trim()} onChoose={(query) => onChange(query)} />
        <Link to="/search" className="small">
          What can be asked
        </Link>
      </div>
    </search>
  );
}
