// What can be done about a group now: the buttons below its title.
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { Button } from "react-aria-components";
import { changeGroup } from "../../api/actions";
import type { GroupState } from "../../api/types";
import { announce } from "../../lib/announce";
import { doing, storedActor } from "../../lib/actor";
import { STATE_WORDS } from "../../lib/words";
import { InlineFailure } from "../Failure";
import { Icon } from "../Icon";
import { PendingButton } from "../PendingButton";
import { MergePanel } from "./MergePanel";
import { MutePanel } from "./MutePanel";
import { NotesPanel } from "./NotesPanel";
import { ResolvePanel } from "./ResolvePanel";
import { type TaggedGroup, isConflict, useGroupRefresh } from "./useChange";

const PANELS = { resolve: ResolvePanel, mute: MutePanel, notes: NotesPanel, merge: MergePanel };
type PanelName = keyof typeof PANELS;

export function GroupActions({ group }: { group: TaggedGroup }) {
  const [open, setOpen] = useState<PanelName | null>(null);
  const opener = useRef<HTMLElement | null>(null);
  const merged = group.merged_into != null;
  const toggle = (name: PanelName) => {
    opener.current = document.activeElement as HTMLElement | null;
    setOpen(open === name ? null : name);
  };
  const close = () => {
    setOpen(null);
    // What opened it may have become another button.
    requestAnimationFrame(() => {
      const back = opener.current?.isConnected ? opener.current : document.getElementById("main");
      back?.focus({ preventScroll: true });
    });
  };
  const button = (name: PanelName, label: string) => (
    <Button className="button" aria-expanded={open === name} onPress={() => toggle(name)}>
      {label}
    </Button>
  );
  const Shown = open === null ? null : PANELS[open];
  return (
    <>
      <div className="actions">
        {group.latest_crash_id != null && (
          <Link to="/crashes/$id" params={{ id: group.latest_crash_id }} className="button primary">
            Open the latest crash
          </Link>
        )}
        {!merged && (
          <>
            {group.state === "resolved" ? (
              <Become group={group} state="ongoing" label="Reopen" />
            ) : (
              button("resolve", "Resolve…")
            )}
            {group.state === "muted" ? (
              <Become group={group} state={group.mute?.state_before ?? "ongoing"} label="Unmute" />
            ) : (
              button("mute", "Mute…")
            )}
            {(group.state === "new" || group.state === "regressed") && (
              <Become group={group} state="ongoing" label="Mark as known" />
            )}
            {button("notes", "Owner and notes…")}
            {button("merge", "Merge…")}
          </>
        )}
      </div>
      {Shown && <Shown key={open} group={group} onClose={close} />}
    </>
  );
}

interface BecomeProps {
  group: TaggedGroup;
  state: GroupState;
  label: string;
}

/** A change that asks nothing more. It is bound to what is shown, and can be taken back below. */
function Become({ group, state, label }: BecomeProps) {
  const refresh = useGroupRefresh();
  const change = useMutation({
    mutationFn: () => changeGroup(group.id, { state, ...doing(storedActor(), "") }, group.etag),
    onSuccess: (changed) => {
      refresh(changed);
      announce(`State: ${STATE_WORDS[changed.state]}.`);
    },
    onError: (error) => {
      if (isConflict(error)) refresh();
    },
  });
  return (
    <>
      <PendingButton className="button" pending={change.isPending} onPress={() => change.mutate()}>
        {state === "ongoing" && label === "Mark as known" ? <Icon name="check" /> : null}
        {label}
      </PendingButton>
      {change.error != null &&
        (isConflict(change.error) ? (
          <p className="notice warn" role="alert">
            <strong>Somebody changed this group just now.</strong> Look at what they made of it; nothing was
            changed by you.
          </p>
        ) : (
          <InlineFailure error={change.error} />
        ))}
    </>
  );
}
