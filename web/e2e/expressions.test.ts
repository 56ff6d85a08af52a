// Expressions in the frames of a goroutine, evaluated by the real service.
import type { Page } from "playwright-core";
import { beforeAll, expect, inject, it } from "vitest";
import type { Goroutine, Report } from "../src/api/types";
import { accessible, settle, show, tabs } from "./browser";

const { url, maps } = inject("seeded");
let page: Page;
const here = tabs(
  () => url,
  (opened) => (page = opened),
);
let path: string;
/** The frame of main.worker, whose variables the compiler kept. */
let worker: number;
beforeAll(async () => {
  const response = await fetch(`${url}/api/v1/crashes/${maps.newer}/report?goroutines=summary`);
  const report = (await response.json()) as Report;
  const [goroutine] = report.goroutines as [Goroutine];
  worker = goroutine.frames.findIndex((frame) => frame.function === "main.worker");
  path = `/crashes/${maps.newer}/goroutines/${goroutine.id}`;
});

const field = () => page.getByRole("textbox", { name: "Expression" });
const result = () => page.locator(".evaluate .result");

async function evaluate(expression: string) {
  await field().fill(expression);
  await page.keyboard.press("Enter");
  await page.waitForURL(/expr=/);
}

it("evaluates in the frame that was chosen, and shares it by its URL", async () => {
  await show(page, path);
  await page.getByRole("button", { name: new RegExp(`Evaluate here.*frame ${worker}$`) }).click();
  expect(await field().evaluate((input) => input === document.activeElement)).toBe(true);
  await evaluate("rounds");
  await result().waitFor();
  expect(await result().textContent()).toContain("2000000");
  expect(await result().textContent()).toContain("int");
  const search = new URL(page.url()).searchParams;
  expect(search.get("frame")).toBe(String(worker));
  await page.reload();
  await settle(page);
  await result().waitFor();
  expect(await field().inputValue()).toBe("rounds");
  expect(await result().textContent()).toContain("2000000");
});

it("unfolds structs and maps, and shows no JSON", async () => {
  await show(page, `${path}?frame=${worker}`);
  await evaluate("s");
  await result().waitFor();
  await result()
    .getByRole("button", { name: /byPath/ })
    .click();
  await result()
    .getByText(/"\/api\/v1\/items\/\d+"/)
    .first()
    .waitFor();
  expect(await result().textContent()).not.toMatch(/"entries"|"len"|\[\{/);
  expect(await result().locator("li").count()).toBeLessThanOrEqual(60);
  await accessible(page);
});

it("looks up one key of a map in an expression", async () => {
  await show(page, `${path}?frame=${worker}`);
  await evaluate('s.byPath["/api/v1/items/7"]');
  await result().waitFor();
  expect(await result().locator(".value").textContent()).toMatch(/^\d+$/);
});

it("points at what is wrong", async () => {
  await show(page, `${path}?frame=${worker}`);
  await evaluate("s.noSuchField");
  const error = page.locator(".expression-error");
  await error.waitFor();
  expect(await error.locator("mark").count()).toBe(1);
  expect(await error.textContent()).toContain("noSuchField");
  expect(here.tab.complaints.filter((text) => !text.includes("422"))).toEqual([]);
  await accessible(page);
});

it("brings back what was asked before with the arrow keys", async () => {
  await show(page, `${path}?frame=${worker}`);
  await evaluate("rounds");
  await result().waitFor();
  await evaluate("id");
  await page.waitForURL(/expr=id/);
  await field().fill("not yet asked");
  await page.keyboard.press("ArrowUp");
  expect(await field().inputValue()).toBe("id");
  await page.keyboard.press("ArrowUp");
  expect(await field().inputValue()).toBe("rounds");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await field().inputValue()).toBe("not yet asked");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(/expr=rounds/);
});

it("tells the maps that the goroutine is at or holds", async () => {
  await show(page, path);
  const section = page.locator("section[aria-labelledby=its-maps]");
  await section.getByRole("link", { name: "s.byPath" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Map s.byPath" }).waitFor();
});
