// The signatures of a group's crashes, groups that were merged into it, and those of the same family.
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "react-aria-components";
import { unmergeGroup } from "../../api/actions";
import type { RelatedGroup, Variant } from "../../api/types";
import { doing, storedActor } from "../../lib/actor";
import { announce } from "../../lib/announce";
import { classInfo } from "../../lib/classes";
import { count, counted, shortId } from "../../lib/format";
import { groupHeadline } from "../../lib/titles";
import { Prose } from "../Code";
import { InlineFailure } from "../Failure";
import { GroupName } from "../GroupName";
import { ClassMark, StateMark } from "../marks";
import { Scroll } from "../Scroll";
import { Time } from "../Time";
import { PendingButton } from "../PendingButton";
import { SplitPanel } from "./SplitPanel";
import { type TaggedGroup, useGroupRefresh } from "./useChange";

export function Variants({ group }: { group: TaggedGroup }) {
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [splitting, setSplitting] = useState(false);
  const { variants } = group;
  const several = variants.length > 1 && group.merged_into == null;
  const choose = (fingerprint: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(fingerprint);
    else next.delete(fingerprint);
    setChosen(next);
  };
  return (
    <section aria-labelledby="variants">
      <h2 id="variants">
        Variants
        <span className="h-note">
          {variants.length === 1 ? "all crashes have one signature" : `${count(variants.length)} signatures`}
        </span>
      </h2>
      <Scroll label="Variants, a table that scrolls">
        <table className="data">
          <caption className="sr-only">Signatures of the crashes in this group</caption>
          <thead>
            <tr>
              {several && (
                <th scope="col">
                  <span className="sr-only">Choose</span>
                </th>
              )}
              <th scope="col">Title</th>
              <th scope="col" className="number">
                Crashes
              </th>
              <th scope="col">First</th>
              <th scope="col">Last</th>
              <th scope="col">Fingerprint</th>
            </tr>
          </thead>
          <tbody>
            {variants.map((variant) => (
              <tr key={`${variant.signature_version}/${variant.fingerprint}`}>
                {several && (
                  <td>
                    <input
                      type="checkbox"
                      aria-label={`Choose ${variant.title}`}
                      checked={chosen.has(variant.fingerprint)}
                      onChange={(event) => choose(variant.fingerprint, event.target.checked)}
                    />
                  </td>
                )}
                <VariantCells variant={variant} />
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {several && !splitting && (
        <p className="after-table">
          <Button className="button" isDisabled={chosen.size === 0} onPress={() => setSplitting(true)}>
            Split off {chosen.size === 0 ? "the chosen" : counted(chosen.size, "variant")}…
          </Button>
        </p>
      )}
      {splitting && (
        <SplitPanel
          group={group.id}
          part={{ fingerprints: [...chosen] }}
          onClose={() => setSplitting(false)}
          onDone={(into) => {
            setChosen(new Set());
            void navigate({ to: "/groups/$id", params: { id: into.id } });
          }}
        />
      )}
      {group.merged.length > 0 && <MergedGroups group={group} />}
      {group.related.length > 0 && <Related groups={group.related} />}
    </section>
  );
}

function VariantCells({ variant }: { variant: Variant }) {
  return (
    <>
      <th scope="row">
        <Prose text={groupHeadline(variant.title, classInfo(variant.class).label)} />
        {variant.pinned && <span className="muted">, put here by a person</span>}
      </th>
      <td className="number">{count(variant.count)}</td>
      <td>
        <Time at={variant.first_seen} />
      </td>
      <td>
        <Time at={variant.last_seen} />
      </td>
      <td>
        <code title={variant.fingerprint}>{shortId(variant.fingerprint)}</code>{" "}
        <span className="muted">v{variant.signature_version}</span>
      </td>
    </>
  );
}

function MergedGroups({ group }: { group: TaggedGroup }) {
  return (
    <>
      <h3>Merged into this one</h3>
      <ul className="plain">
        {group.merged.map((id) => (
          <li key={id}>
            <GroupName id={id} /> <Unmerge id={id} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Parts a merged group again. */
export function Unmerge({ id }: { id: string }) {
  const refresh = useGroupRefresh();
  const change = useMutation({
    mutationFn: () => unmergeGroup(id, doing(storedActor(), "")),
    onSuccess: () => {
      refresh();
      announce("They are two groups again.");
    },
  });
  return (
    <>
      <PendingButton
        className="button"
        aria-label={`Unmerge group ${shortId(id)}`}
        pending={change.isPending}
        onPress={() => change.mutate()}
      >
        Unmerge
      </PendingButton>
      {change.error && <InlineFailure error={change.error} />}
    </>
  );
}

function Related({ groups }: { groups: readonly RelatedGroup[] }) {
  return (
    <>
      <h3>Other groups of the same family</h3>
      <ul className="plain">
        {groups.map((group) => (
          <li key={group.id}>
            <Link to="/groups/$id" params={{ id: group.id }}>
              <Prose text={groupHeadline(group.title, classInfo(group.class).label)} />
            </Link>{" "}
            <span className="muted">
              <ClassMark slug={group.class} />, {counted(group.count, "crash", "crashes")}
            </span>{" "}
            <StateMark state={group.state} />
          </li>
        ))}
      </ul>
    </>
  );
}
