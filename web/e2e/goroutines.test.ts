// Any number of goroutines: found by their state, function and label, and never all in the document.
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { settle, show, tabs } from "./browser";

const { url, leak, labels } = inject("seeded");
let page: Page;
tabs(
  () => url,
  (opened) => (page = opened),
);

const rows = () => page.locator(".virtual-body [role=row]");
const matched = async () =>
  Number(/[\d,]+/.exec((await page.locator(".result-count").textContent()) ?? "")?.[0].replace(",", ""));

it("goes from a cluster to its goroutines", async () => {
  await show(page, `/crashes/${leak}/goroutines`);
  const largest = page.getByRole("link", { name: /^\d+ goroutines, list them$/ }).first();
  const count = Number(await largest.textContent());
  expect(count).toBeGreaterThan(1);
  await largest.click();
  await page.waitForURL(/cluster=/);
  await settle(page);
  expect(await matched()).toBe(count);
});

it("keeps few rows in the document, and shows the last one after scrolling", async () => {
  await show(page, `/crashes/${leak}/goroutines?view=table&sort=id`);
  const total = await matched();
  expect(total).toBeGreaterThan(100);
  const seen = new Set<string>();
  const body = page.locator(".virtual-body");
  for (let at = 0; at <= total; at += 20) {
    await body.evaluate((element, top) => element.scrollTo(0, top), at * 40);
    await page.locator(`[aria-rowindex="${Math.min(at + 15, total - 1) + 2}"] .cell-id a`).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".virtual-body .bone").length === 0);
    expect(await rows().count()).toBeLessThanOrEqual(60);
    for (const id of await page.locator(".virtual-body .cell-id a").allTextContents()) seen.add(id);
  }
  expect(seen.size).toBe(total);
  expect(await page.locator(".virtual").getAttribute("aria-rowcount")).toBe(String(total + 1));
});

it("keeps filters and order in the URL", async () => {
  await show(page, `/crashes/${leak}/goroutines?view=table`);
  await page.getByLabel("Wait reason").selectOption("chan send");
  await page.waitForURL(/wait_reason=chan/);
  await page.getByLabel("Function on the stack").fill("Leaks).sender");
  await page.waitForURL(/function=Leaks/);
  await settle(page);
  const count = await matched();
  expect(count).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Waits for" }).click();
  await page.waitForURL(/sort=wait/);
  await page.reload();
  await settle(page);
  expect(await matched()).toBe(count);
  expect(await page.getByLabel("Function on the stack").inputValue()).toBe("Leaks).sender");
  expect(await page.locator("[aria-sort=descending]").textContent()).toContain("Waits for");
  for (const state of await page.locator(".virtual-body .cell-status").allTextContents()) {
    expect(state).toBe("waiting: chan send");
  }
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL((address) => !address.search.includes("function"));
  await settle(page);
  expect(await matched()).toBeGreaterThan(count);
});

it("finds goroutines by a label", async () => {
  await show(page, `/crashes/${labels}/goroutines?view=table`);
  const all = await matched();
  const label = await page.locator(".virtual-body .cell-labels code").first().textContent();
  expect(label).toMatch(/=/);
  await page.getByLabel("Label").fill(label ?? "");
  await page.waitForURL(/label=/);
  await settle(page);
  const count = await matched();
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(all);
  for (const text of await page.locator(".virtual-body .cell-labels").allTextContents())
    expect(text).toContain(label);
});

it("opens a goroutine with its whole stack", async () => {
  await show(page, `/crashes/${leak}/goroutines?view=table&function=sender`);
  const link = page.locator(".virtual-body .cell-id a").first();
  const id = await link.textContent();
  await link.click();
  await page.getByRole("heading", { level: 1, name: `Goroutine ${id ?? ""}` }).waitFor();
  expect(await page.locator(".frames").textContent()).toContain("sender");
  await page
    .getByRole("link", { name: /^goroutine \d+$/ })
    .first()
    .click();
  await page.waitForURL(/goroutines\/\d+$/);
});
