// One key: what is under it, where it lives and why.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type SyntheticEvent, useEffect, useId, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { mapEntriesQuery, mapLayoutQuery } from "../../api/queries";
import type { GoMap, KeyPlace, MapEntry } from "../../api/types";
import { announce } from "../../lib/announce";
import { pageOf, rowOfKey } from "../../lib/slots";
import { Prose } from "../Code";
import { Copyable } from "../Copy";
import { ExpressionFailure } from "../expressions/ExpressionFailure";
import { Icon } from "../Icon";
import { Unknown } from "../Unknown";

interface KeyLookupProps {
  map: GoMap;
  crash: string;
  /** The key that the URL names. */
  wanted: string | undefined;
  onLookUp: (key: string | undefined) => void;
}

export function KeyLookup({ map, crash, wanted, onLookUp }: KeyLookupProps) {
  const id = useId();
  const [draft, setDraft] = useState(wanted ?? "");
  const [known, setKnown] = useState(wanted);
  if (wanted !== known) {
    setKnown(wanted);
    setDraft(wanted ?? "");
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    onLookUp(draft.trim() === "" ? undefined : draft.trim());
  };
  return (
    <div className="key-lookup">
      <form className="ask" onSubmit={submit} role="search" aria-label="Look up a key">
        <label htmlFor={id} className="filter-label">
          Look up a key, as Go writes it
        </label>
        <div className="ask-row">
          <input
            id={id}
            className="code-input"
            value={draft}
            placeholder={example(map.type)}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={(event) => setDraft(event.target.value)}
          />
          <Button type="submit" className="button">
            Look up
          </Button>
          {wanted !== undefined && (
            <Button className="button quiet" onPress={() => onLookUp(undefined)}>
              <Icon name="close" />
              Clear
            </Button>
          )}
        </div>
      </form>
      {wanted !== undefined && <Answer key={wanted} map={map} crash={crash} wanted={wanted} />}
    </div>
  );
}

/** A key of the map's type, to show how one is written. */
function example(type: string | null | undefined): string {
  const key = /^map\[([^\]]+)\]/.exec(type ?? "")?.[1] ?? "string";
  if (/^u?int|^byte|^rune|^float/.test(key)) return "17";
  if (key === "bool") return "true";
  return '"k1"';
}

function Answer({ map, crash, wanted }: { map: GoMap; crash: string; wanted: string }) {
  const entries = useQuery(mapEntriesQuery(crash, map.address, { key: wanted }));
  const layout = useQuery(mapLayoutQuery(crash, map.address, { from: 0, limit: 1, key: wanted }));
  const place = layout.data?.key ?? null;
  const entry = entries.data?.entries[0];
  useAnnounced(entries.isSuccess, entry, wanted);
  if (entries.error) return <ExpressionFailure error={entries.error} text={wanted} />;
  if (!entries.data) return <p className="muted asking">Looking for it…</p>;
  return (
    <div className="key-answer">
      {entry ? (
        <dl className="facts key-entry">
          <div>
            <dt>Key</dt>
            <dd>
              <code>{entry.key}</code>
            </dd>
          </div>
          <div>
            <dt>Value</dt>
            <dd>
              <code>{entry.value}</code>
            </dd>
          </div>
          <div>
            <dt>Lies at</dt>
            <dd>
              <Copyable value={entry.value_address} what="the value's address" />
            </dd>
          </div>
        </dl>
      ) : (
        <p>
          The map has no key <code>{place?.key ?? wanted}</code>.
        </p>
      )}
      {layout.error ? (
        <ExpressionFailure error={layout.error} text={wanted} />
      ) : place === null ? (
        <p className="muted asking">
          {layout.data ? "Where it belongs is not known." : "Looking where it lies…"}
        </p>
      ) : (
        <Why place={place} />
      )}
    </div>
  );
}

function useAnnounced(done: boolean, entry: MapEntry | undefined, wanted: string) {
  const said = useRef(false);
  useEffect(() => {
    if (!done || said.current) return;
    said.current = true;
    announce(entry ? `${entry.key} is in the map.` : `The map has no key ${wanted}.`);
  }, [done, entry, wanted]);
}

function Why({ place }: { place: KeyPlace }) {
  const row = rowOfKey(place);
  return (
    <div className="key-why">
      <h3>{place.found_in == null ? "Where it would be, and why" : "Where it lies, and why"}</h3>
      <dl className="facts key-entry">
        <div>
          <dt>Hash</dt>
          <dd>{place.hash == null ? <Unknown /> : <Copyable value={place.hash} what="the hash" />}</dd>
        </div>
        <div>
          <dt>How it is made</dt>
          <dd>
            <Prose text={place.hash_function} />
          </dd>
        </div>
      </dl>
      {place.explain.length > 0 && (
        <ol className="explain-steps">
          {place.explain.map((step, index) => (
            <li key={index}>
              <Prose text={step} />
            </li>
          ))}
        </ol>
      )}
      {row !== null && (
        <p>
          <Link to="." search={(before) => ({ ...before, from: pageOf(row) })} hash="rows" replace>
            See it in the drawing
          </Link>
        </p>
      )}
    </div>
  );
}
