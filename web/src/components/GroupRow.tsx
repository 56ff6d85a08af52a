import { Link } from "@tanstack/react-router";
import type { Group } from "../api/types";
import { count } from "../lib/format";
import { classInfo } from "../lib/classes";
import { groupHeadline } from "../lib/titles";
import { Prose } from "./Code";
import { ClassMark, StateMark } from "./marks";
import { Time } from "./Time";
import { Sparkline } from "./Trend";
import { Unknown } from "./Unknown";

export function GroupRow({ group }: { group: Group }) {
  const headline = groupHeadline(group.title, classInfo(group.class).label);
  return (
    <li className={`group group-${group.state}`}>
      <div className="group-what">
        <Link to="/groups/$id" params={{ id: group.id }} className="group-title">
          <Prose text={headline} />
        </Link>
        <p className="group-meta">
          <ClassMark slug={group.class} />
          <List values={group.services} word="service" />
          <List values={group.go_versions} word="Go version" />
        </p>
      </div>
      <StateMark state={group.state} />
      <Sparkline trend={group.trend} />
      <p className="group-count">
        <strong>{count(group.count)}</strong> <span>{group.count === 1 ? "crash" : "crashes"}</span>
      </p>
      <p className="group-times">
        <span>
          <span className="muted">last</span> <Time at={group.last_seen} />
        </span>
        <span>
          <span className="muted">first</span> <Time at={group.first_seen} />
        </span>
      </p>
    </li>
  );
}

const SHOWN = 3;

function List({ values, word }: { values: readonly string[]; word: string }) {
  if (values.length === 0) {
    return (
      <span>
        {word} <Unknown />
      </span>
    );
  }
  const hidden = values.length - SHOWN;
  return (
    <span title={values.join(", ")}>
      <span className="sr-only">{word}: </span>
      {values.slice(0, SHOWN).join(", ")}
      {hidden > 0 && ` and ${hidden} more`}
    </span>
  );
}
