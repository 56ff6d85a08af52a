import { expect, it } from "vitest";
import type { SignatureStep } from "../api/types";
import { explainParts } from "./explain";

const step = (name: string, input: string, output?: string): SignatureStep => ({
  step: name,
  input,
  output: output ?? null,
  rule: `rule of ${input}`,
});
const kinds = (steps: SignatureStep[]) =>
  explainParts(steps).map((part) =>
    part.kind === "step" ? part.step.input : `${part.kind} ${part.steps.length}`,
  );

it("folds what is left out many times over, and nothing that counts", () => {
  const dropped = ["a", "b", "c"].map((name) => step("drop", name));
  expect(kinds([step("class", "nil", "nil"), ...dropped, step("keep", "main.f", "main.f")])).toEqual([
    "nil",
    "dropped 3",
    "main.f",
  ]);
  expect(kinds([...dropped.slice(1), step("keep", "main.f", "main.f")])).toEqual(["b", "c", "main.f"]);
});

it("names each rule of a fold once", () => {
  const same = { ...step("drop", "x"), rule: "beyond" };
  const [part] = explainParts([same, same, step("drop", "y")]);
  expect(part).toMatchObject({ kind: "dropped", rules: ["beyond", "rule of y"] });
});

it("keeps the stacks of a population together, also what was left out of them", () => {
  const shared = [step("population", "40 of 50", "main.f"), step("population", "3 stacks")];
  expect(kinds([...shared, step("keep", "main.f", "main.f")])).toEqual(["population 2", "main.f"]);
});
