// The crashes of a group, and splitting some of them off.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "react-aria-components";
import { crashesQuery } from "../../api/queries";
import type { GroupDetails } from "../../api/types";
import { counted } from "../../lib/format";
import { CrashTable } from "../CrashTable";
import { InlineFailure } from "../Failure";
import { More } from "../More";
import { Skeleton } from "../Skeleton";
import { SplitPanel } from "./SplitPanel";

export function GroupCrashes({ group }: { group: GroupDetails }) {
  const navigate = useNavigate();
  const query = useInfiniteQuery(crashesQuery({ group: group.id }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [splitting, setSplitting] = useState(false);
  const crashes = query.data?.pages.flatMap((page) => page.items);
  // Of one crash, there is nothing to split.
  const several = group.count > 1 && group.merged_into == null;
  const choose = (id: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  return (
    <section aria-labelledby="crashes">
      <h2 id="crashes">
        Crashes<span className="h-note">newest first</span>
      </h2>
      {query.error && !crashes ? (
        <InlineFailure error={query.error} />
      ) : !crashes ? (
        <Skeleton what="crashes" lines={4} />
      ) : (
        <CrashTable
          crashes={crashes}
          caption="Crashes of this group, newest first"
          {...(several ? { chosen, onChoose: choose } : {})}
        />
      )}
      <More query={query} what="crashes" />
      {several && chosen.size > 0 && !splitting && (
        <p className="after-table">
          <Button className="button" onPress={() => setSplitting(true)}>
            Split off {counted(chosen.size, "crash", "crashes")}…
          </Button>
        </p>
      )}
      {splitting && (
        <SplitPanel
          group={group.id}
          part={{ crashes: [...chosen] }}
          onClose={() => setSplitting(false)}
          onDone={(into) => {
            setChosen(new Set());
            void navigate({ to: "/groups/$id", params: { id: into.id } });
          }}
        />
      )}
    </section>
  );
}
