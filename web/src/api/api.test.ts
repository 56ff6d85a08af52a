import { expect, it } from "vitest";
import { body } from "./client";
import { ProblemError, UnreachableError, isNotFound, toProblem } from "./errors";
import { crashRefresh, isBusy, retryInterval } from "./queries";

const problem = {
  type: "/problems/not-a-core",
  title: "This is no core file",
  status: 422,
  detail: "no ELF file",
};

it("hands out what was answered, and throws the server's problem", async () => {
  const ok = { data: { id: "1" }, response: new Response(null, { status: 200 }) };
  await expect(body(Promise.resolve(ok))).resolves.toEqual({ id: "1" });
  const refused = { error: problem, response: new Response(null, { status: 422 }) };
  await expect(body(Promise.resolve(refused))).rejects.toMatchObject({ problem });
});

it("makes a problem of a page that a proxy answered", () => {
  expect(toProblem("<html>", 502, "Bad Gateway")).toMatchObject({ status: 502, title: "Bad Gateway" });
  expect(toProblem(problem, 422, "")).toBe(problem);
});

it("names a problem by the last part of its type", () => {
  const error = new ProblemError(problem);
  expect(error.slug).toBe("not-a-core");
  expect(isNotFound(error)).toBe(false);
  expect(isNotFound(new ProblemError({ ...problem, status: 404 }))).toBe(true);
});

it("tries again after silence only", () => {
  expect(retryInterval(new UnreachableError())).toBeGreaterThan(0);
  expect(retryInterval(new ProblemError(problem))).toBe(false);
  expect(retryInterval(null)).toBe(false);
});

it("reads a crash often while it moves", () => {
  expect(crashRefresh("analysing")).toBeLessThan(crashRefresh("waiting-for-binary"));
  expect(crashRefresh("waiting-for-binary")).toBeLessThan(crashRefresh("done"));
});

it("knows that a busy server would answer later", () => {
  expect(isBusy(new ProblemError({ ...problem, type: "/problems/busy", status: 503 }))).toBe(true);
  expect(isBusy(new ProblemError(problem))).toBe(false);
  expect(isBusy(new UnreachableError())).toBe(false);
});
