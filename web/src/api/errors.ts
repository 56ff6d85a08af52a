import type { Problem as Answered } from "./schema.gen";
import type { RuleConflict } from "./types";

/** A problem; one with a rule names the crashes that others have a claim to. */
export type Problem = Omit<Answered, "conflicts"> & { conflicts?: RuleConflict[] | null };

/** The server answered with a problem (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get status(): number {
    return this.problem.status;
  }

  /** The last part of the problem's type: `not-a-core`. */
  get slug(): string {
    return this.problem.type.split("/").at(-1) ?? "";
  }
}

/** There was no answer at all. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";

  constructor(cause?: unknown) {
    super("The server does not answer.", { cause });
  }
}

/** A problem out of whatever a failed response carries: proxies answer with pages of their own. */
export function toProblem(body: unknown, status: number, statusText: string): Problem {
  if (typeof body === "object" && body !== null && "title" in body && "detail" in body && "type" in body) {
    return body as Problem;
  }
  return {
    type: "about:blank",
    title: statusText || `Status ${status}`,
    status,
    detail: `The server answered with status ${status} and did not say why.`,
  };
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}
