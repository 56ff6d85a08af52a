// Incidents: found, understood, and put away.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { type Tab, launch, open, settle, show } from "./browser";

const { url, maps, waiting } = inject("seeded");
let browser: Browser;
let tab: Tab;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  tab = await open(browser, url);
  page = tab.page;
});
afterEach(() => tab.context.close());

it("lists one line for both crashes of one cause", async () => {
  await show(page, "/");
  const line = page.locator(".group", { hasText: "Concurrent map writes at" });
  expect(await line.count()).toBe(1);
  expect(await line.locator(".group-count").textContent()).toBe("2 crashes");
  expect(await line.textContent()).toContain("billing");
  expect(await line.textContent()).toMatch(/go1\.24\.\d+.*go1\.26\.\d+/);
});

it("filters by text, class and service, in the URL", async () => {
  await show(page, "/");
  const all = await page.locator(".group").count();
  await page.getByLabel("Search groups").fill("nil map");
  await page.waitForURL(/q=nil/);
  await expect.poll(() => page.locator(".group").count()).toBe(1);
  await page.getByRole("button", { name: "Clear" }).click();
  await expect.poll(() => page.locator(".group").count()).toBe(all);
  await page.getByLabel("Class").selectOption("stack-overflow");
  await page.waitForURL(/class=stack-overflow/);
  await expect.poll(() => page.locator(".group").count()).toBe(1);
  await page.goBack();
  await page.goto("/?service=billing");
  await settle(page);
  expect(await page.locator(".group").count()).toBe(1);
  expect(await page.getByLabel("Service").inputValue()).toBe("billing");
});

it("explains itself, and has its chart as a table", async () => {
  await show(page, `/groups/${maps.group}`);
  expect(await page.locator(".explain").textContent()).toMatch(/Kept.*main\.\(\*stats\)\.record/);
  await page.getByText("As a table").click();
  const hours = page.getByRole("table", { name: "Crashes per hour" });
  expect(await hours.locator("tbody tr").count()).toBe(24);
  const counts = await hours.locator("tbody td").allTextContents();
  expect(counts.reduce((sum, text) => sum + Number(text), 0)).toBe(2);
  expect(await page.locator("table.crashes tbody tr").count()).toBe(2);
});

it("changes its state, which lasts", async () => {
  await show(page, `/groups/${maps.group}`);
  for (const state of ["resolved", "new"]) {
    await page.getByLabel("State").selectOption(state);
    await page.locator(`.mark.state-${state}`).waitFor();
    await page.reload();
    await settle(page);
    expect(await page.getByLabel("State").inputValue()).toBe(state);
  }
});

it("leads from the header to what waits", async () => {
  await show(page, "/");
  await page.getByRole("link", { name: /waiting for a binary/ }).click();
  await page.waitForURL(/status=waiting-for-binary/);
  await page.getByRole("link", { name: /binary is missing/ }).click();
  await page.waitForURL(new RegExp(waiting));
});

it("can be walked by keyboard alone", async () => {
  await show(page, "/");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the page");
  await page.keyboard.press("Enter");
  const visited: string[] = [];
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const style = getComputedStyle(element);
      const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      return { text: element.textContent, seen, name: element.tagName };
    });
    if (focus === null) break;
    expect(focus.seen, `${focus.name} ${focus.text} has no visible focus`).toBe(true);
    visited.push(focus.text);
    if (focus.text.startsWith("Concurrent map writes at")) break;
  }
  expect(visited.at(-1)).toMatch(/^Concurrent map writes at/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/groups\//);
  await settle(page);
  // Reading goes on at the page, not at the top of the document.
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
});
