import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { groupQuery } from "../api/queries";
import { classInfo } from "../lib/classes";
import { shortId } from "../lib/format";
import { groupHeadline } from "../lib/titles";
import { Prose } from "./Code";

/** A link to a group by its headline, which is read for it. */
export function GroupName({ id }: { id: string }) {
  const group = useQuery(groupQuery(id)).data;
  return (
    <Link to="/groups/$id" params={{ id }}>
      {group ? (
        <Prose text={groupHeadline(group.title, classInfo(group.class).label)} />
      ) : (
        <>
          group <code>{shortId(id)}</code>
        </>
      )}
    </Link>
  );
}
