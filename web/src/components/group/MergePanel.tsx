import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { mergeGroups } from "../../api/actions";
import { groupsFoundQuery } from "../../api/queries";
import type { RelatedGroup } from "../../api/types";
import { doing as who } from "../../lib/actor";
import { classInfo } from "../../lib/classes";
import { counted } from "../../lib/format";
import { groupHeadline } from "../../lib/titles";
import { Prose } from "../Code";
import { InlineFailure } from "../Failure";
import { SearchText } from "../filters";
import { ClassMark, StateMark } from "../marks";
import { DoingFields, Panel, useDoing } from "./Panel";
import { type TaggedGroup, useChange } from "./useChange";

/** Chooses the group that this one is the same as, and which of the two stays. */
export function MergePanel({ group, onClose }: { group: TaggedGroup; onClose: () => void }) {
  const navigate = useNavigate();
  const name = useId();
  const [q, setQ] = useState<string | undefined>();
  const [chosen, setChosen] = useState<string | null>(null);
  const [stays, setStays] = useState<"this" | "other">("this");
  const doing = useDoing();
  const found = useQuery(groupsFoundQuery(q ?? ""));
  const others = candidates(group, q, found.data?.items ?? []);
  const change = useChange({
    group,
    change: () => {
      const [into, from] = stays === "this" ? [group.id, chosen ?? ""] : [chosen ?? "", group.id];
      return mergeGroups(into, { groups: [from], ...who(doing.actor, doing.reason) });
    },
    done: () => "The two groups are one now.",
    onDone: (merged) => {
      onClose();
      if (merged.id !== group.id) void navigate({ to: "/groups/$id", params: { id: merged.id } });
    },
  });
  return (
    <Panel
      title="Merge with another group"
      submit="Merge"
      pending={change.isPending}
      error={change.error}
      disabled={chosen === null}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      <p className="muted">
        For two groups of one cause. Crashes to come follow, and it can be taken back at any time.
      </p>
      <SearchText label="Find the other group" value={q} placeholder="Title, class…" onChange={setQ} />
      {found.error && <InlineFailure error={found.error} />}
      <fieldset className="choices">
        <legend>{q === undefined ? "Related groups first" : "Groups that were found"}</legend>
        {others.length === 0 && <p className="muted">{found.isPending ? "Looking…" : "No other group."}</p>}
        {others.map((other) => (
          <label key={other.id} className="check">
            <input
              type="radio"
              name={`${name}-other`}
              checked={chosen === other.id}
              onChange={() => setChosen(other.id)}
            />
            <span>
              <Prose text={groupHeadline(other.title, classInfo(other.class).label)} />{" "}
              <span className="muted">
                <ClassMark slug={other.class} />, {counted(other.count, "crash", "crashes")}
              </span>{" "}
              <StateMark state={other.state} />
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset className="choices">
        <legend>State, owner and notes are taken from</legend>
        {(["this", "other"] as const).map((one) => (
          <label key={one} className="check">
            <input
              type="radio"
              name={`${name}-stays`}
              checked={stays === one}
              onChange={() => setStays(one)}
            />
            {one === "this" ? "this group, which stays" : "the other group, which stays"}
          </label>
        ))}
      </fieldset>
      <DoingFields doing={doing} why="Both are the cache without a lock" />
    </Panel>
  );
}

/** What was found, without this group; variants of its cause come first while nothing was typed. */
function candidates(
  group: TaggedGroup,
  q: string | undefined,
  found: readonly RelatedGroup[],
): RelatedGroup[] {
  const all = q === undefined ? [...group.related, ...found] : [...found];
  const seen = new Set([group.id]);
  return all.filter(({ id }) => !seen.has(id) && seen.add(id)).slice(0, 8);
}
