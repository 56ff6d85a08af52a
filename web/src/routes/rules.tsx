import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { Button } from "react-aria-components";
import { rulesQuery } from "../api/rules";
import { Failure } from "../components/Failure";
import { Regroup } from "../components/rules/Regroup";
import { RuleForm } from "../components/rules/RuleForm";
import { RuleItem } from "../components/rules/RuleItem";
import { Skeleton } from "../components/Skeleton";
import { useTitle } from "../lib/hooks";

const route = getRouteApi("/rules");

/** What groups and mutes crashes besides their signatures. */
export default function RulesPage() {
  const { make, predicate } = route.useSearch();
  const navigate = useNavigate({ from: "/rules" });
  const query = useQuery(rulesQuery());
  const opener = useRef<HTMLButtonElement>(null);
  useTitle("Rules");
  const rules = query.data?.items;
  if (query.error && !rules) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Rules</h1>
        <p className="muted">Which crashes are one group besides their signatures, and which are muted</p>
      </div>
      {!make && (
        <Button
          ref={opener}
          className="button primary"
          onPress={() => void navigate({ search: { make: true }, replace: true })}
        >
          New rule…
        </Button>
      )}
      {make && (
        <RuleForm
          predicate={predicate ?? ""}
          onClose={() => {
            void navigate({ search: {}, replace: true });
            requestAnimationFrame(() => opener.current?.focus());
          }}
        />
      )}
      <section aria-labelledby="rules">
        <h2 id="rules" className="sr-only">
          All rules
        </h2>
        {!rules ? (
          <Skeleton what="rules" lines={4} />
        ) : rules.length === 0 ? (
          <p className="nothing">
            There is no rule yet. Signatures alone group crashes; a rule says what they cannot know, such as
            that two titles are one bug.
          </p>
        ) : (
          <ol className="rules" aria-label="Rules, the oldest first">
            {rules.map((rule) => (
              <RuleItem key={rule.id} rule={rule} />
            ))}
          </ol>
        )}
      </section>
      <Regroup />
    </div>
  );
}
