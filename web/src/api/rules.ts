// Rules that merge and mute, and grouping all history anew.
import { queryOptions } from "@tanstack/react-query";
import { type Tagged, api, body, tagged } from "./client";
import { ProblemError } from "./errors";
import { ifMatch } from "./search";
import type {
  Doing,
  NewRule,
  Page,
  Regrouping,
  Rule,
  RuleConflict,
  RuleHistoryEntry,
  RulePatch,
  RulePlan,
  SignatureTrial,
} from "./types";

export const rulesQuery = () =>
  queryOptions({
    queryKey: ["rules"],
    queryFn: ({ signal }) => body<Page<Rule>>(api.GET("/api/v1/rules", { signal })),
    refetchInterval: 15_000,
  });

export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: ["rule", id],
    queryFn: ({ signal }) =>
      tagged<Rule>(api.GET("/api/v1/rules/{id}", { params: { path: { id } }, signal })),
    refetchInterval: 15_000,
  });

export const ruleHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: ["rule", id, "history"],
    queryFn: ({ signal }) =>
      body<Page<RuleHistoryEntry>>(
        api.GET("/api/v1/rules/{id}/history", { params: { path: { id } }, signal }),
      ),
  });

/** Tries a rule on all history; nothing is saved. */
export function previewRule(rule: NewRule): Promise<RulePlan> {
  return body(api.POST("/api/v1/rules/preview", { body: rule }));
}

export function createRule(rule: NewRule): Promise<Tagged<Rule>> {
  return tagged(api.POST("/api/v1/rules", { body: rule }));
}

export function changeRule(id: string, change: RulePatch, etag: string | null): Promise<Tagged<Rule>> {
  return tagged(
    api.PATCH("/api/v1/rules/{id}", {
      params: { path: { id }, header: ifMatch(etag) },
      body: change,
    }),
  );
}

export function deleteRule(id: string, doing: Doing): Promise<void> {
  return body(api.DELETE("/api/v1/rules/{id}", { params: { path: { id } }, body: doing }));
}

/** Crashes to which others have a claim, of a rule that was refused for them. */
export function conflictsOf(error: unknown): readonly RuleConflict[] {
  if (!(error instanceof ProblemError) || error.slug !== "rule-conflict") return [];
  return error.problem.conflicts ?? [];
}

const MOVING = 1_000;

/** How far grouping anew has come; null when it was never done. */
export const regroupingQuery = () =>
  queryOptions({
    queryKey: ["regroup"],
    queryFn: ({ signal }) => body<Regrouping | null>(api.GET("/api/v1/regroup", { signal })),
    refetchInterval: ({ state }) => (state.data && state.data.finished_at == null ? MOVING : 30_000),
  });

export function tryRegrouping(): Promise<RulePlan> {
  return body(api.POST("/api/v1/regroup", { params: { query: { dry_run: true } } }));
}

export function regroup(): Promise<Regrouping> {
  return body(api.POST("/api/v1/regroup", { params: { query: { dry_run: false } } }));
}

/** How far the trial of this program's signatures has come, and what it found so far; read often while it moves. */
export const trialQuery = (moving: boolean) =>
  queryOptions({
    queryKey: ["signature-trial"],
    queryFn: ({ signal }) => body<SignatureTrial>(api.GET("/api/v1/signature-trial", { signal })),
    refetchInterval: ({ state: { data } }) =>
      data && (moving || data.done > 0) && (data.done < data.total || (moving && data.changed > 0))
        ? MOVING
        : 15_000,
  });

export function trySignatures(): Promise<{ queued: number }> {
  return body(api.POST("/api/v1/signature-trial"));
}

export function applyTrial(): Promise<{ queued: number }> {
  return body(api.POST("/api/v1/signature-trial/apply"));
}
