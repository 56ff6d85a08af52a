// Queries that people keep: choosing, keeping, renaming and forgetting them.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { Button } from "react-aria-components";
import { ProblemError } from "../../api/errors";
import {
  changeSavedQuery,
  deleteSavedQuery,
  isBadQuery,
  saveQuery,
  savedQueriesQuery,
  savedQueryQuery,
} from "../../api/search";
import type { SavedQuery } from "../../api/types";
import { announce } from "../../lib/announce";
import { InlineFailure } from "../Failure";
import { Field } from "../group/Panel";
import { More } from "../More";
import { PendingButton } from "../PendingButton";
import { QueryInput, useQueryIds } from "./QueryInput";
import { QueryProblem } from "./QueryProblem";

interface SavedQueriesProps {
  /** What is in the box, to be kept. */
  current: string;
  onChoose: (query: string) => void;
}

export function SavedQueries({ current, onChoose }: SavedQueriesProps) {
  const [open, setOpen] = useState(false);
  return (
    <details className="saved" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Saved queries</summary>
      {open && (
        <List
          current={current}
          onChoose={(query) => {
            setOpen(false);
            onChoose(query);
          }}
        />
      )}
    </details>
  );
}

function List({ current, onChoose }: SavedQueriesProps) {
  const query = useInfiniteQuery(savedQueriesQuery());
  const [edited, setEdited] = useState<string | null>(null);
  const saved = query.data?.pages.flatMap((page) => page.items);
  return (
    <div className="saved-body">
      {current !== "" && <Keep key={current} query={current} />}
      {query.error && !saved ? (
        <InlineFailure error={query.error} />
      ) : !saved ? (
        <p className="muted">Loading…</p>
      ) : saved.length === 0 ? (
        <p className="muted">
          None is kept yet. {current === "" && "Type a query, and it can be kept here for everybody."}
        </p>
      ) : (
        <ul className="plain" aria-label="Saved queries">
          {saved.map((one) => (
            <li key={one.id}>
              {edited === one.id ? (
                <Edit saved={one} onClose={() => setEdited(null)} />
              ) : (
                <div className="saved-row">
                  <Button className="link" onPress={() => onChoose(one.query)}>
                    {one.name}
                  </Button>
                  <code className="muted">{one.query}</code>
                  <Button
                    className="button quiet"
                    aria-label={`Edit ${one.name}`}
                    onPress={() => setEdited(one.id)}
                  >
                    Edit
                  </Button>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      <More query={query} what="saved queries" />
    </div>
  );
}

function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["saved-queries"] });
}

function Keep({ query }: { query: string }) {
  const refresh = useRefresh();
  const [name, setName] = useState("");
  const save = useMutation({
    mutationFn: () => saveQuery({ name: name.trim(), query }),
    onSuccess: (saved) => {
      setName("");
      announce(`Saved as ${saved.name}.`);
      return refresh();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name.trim() !== "") save.mutate();
  };
  return (
    <form className="saved-new" onSubmit={submit}>
      <Field label="Save what is in the box as">
        {(ids) => (
          <input
            {...ids}
            value={name}
            placeholder="Name, for everybody"
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <PendingButton
        type="submit"
        className="button"
        isDisabled={name.trim() === ""}
        pending={save.isPending}
      >
        Save
      </PendingButton>
      {save.error && <SaveFailure error={save.error} text={query} />}
    </form>
  );
}

function SaveFailure({ error, text }: { error: unknown; text: string }) {
  if (isBadQuery(error)) return <QueryProblem error={error} text={text} />;
  if (error instanceof ProblemError && error.status === 412) {
    return (
      <div className="notice warn" role="alert">
        <strong>Somebody changed this query while you were at it.</strong> Close this and look at it again.
      </div>
    );
  }
  return <InlineFailure error={error} />;
}

function Edit({ saved, onClose }: { saved: SavedQuery; onClose: () => void }) {
  const refresh = useRefresh();
  const { id } = useQueryIds();
  const [name, setName] = useState(saved.name);
  const [text, setText] = useState(saved.query);
  const read = useQuery(savedQueryQuery(saved.id));
  const etag = read.data?.etag ?? null;
  const done = (words: string) => {
    announce(words);
    onClose();
    return refresh();
  };
  const change = useMutation({
    mutationFn: () => changeSavedQuery(saved.id, { name: name.trim(), query: text.trim() }, etag),
    onSuccess: () => done("Saved."),
  });
  const remove = useMutation({
    mutationFn: () => deleteSavedQuery(saved.id, etag),
    onSuccess: () => done(`${saved.name} is deleted.`),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const error = change.error ?? remove.error ?? read.error;
  return (
    <form className="saved-edit" onSubmit={submit} aria-label={`Edit ${saved.name}`}>
      <div className="field-row">
        <Field label="Name">
          {(ids) => <input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <div className="field">
          <label htmlFor={id}>Query</label>
          <QueryInput id={id} value={text} onChange={setText} />
        </div>
      </div>
      {error != null && <SaveFailure error={error} text={text.trim()} />}
      <div className="panel-actions">
        <PendingButton
          type="submit"
          className="button primary"
          isDisabled={!read.data || name.trim() === ""}
          pending={change.isPending}
        >
          Save
        </PendingButton>
        <PendingButton
          className="button"
          isDisabled={!read.data}
          pending={remove.isPending}
          onPress={() => remove.mutate()}
        >
          Delete
        </PendingButton>
        <Button className="button" onPress={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
