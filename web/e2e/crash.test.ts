// The first screen answers the question, and the rest can be reached.
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { PHONE, open, settle, show, tabs } from "./browser";

const { url, maps, nilMap, overflow, wrapped } = inject("seeded");
let page: Page;
const here = tabs(
  () => url,
  (opened) => (page = opened),
);

it("shows the verdict on the first screen of a phone", async () => {
  const phone = await open(here.browser, url, { size: PHONE });
  await show(phone.page, `/crashes/${maps.newer}`);
  for (const part of [
    phone.page.getByRole("heading", {
      level: 1,
      name: /Concurrent map writes on s\.byPath in main\.\(\*stats\)\.record/,
    }),
    phone.page.getByText("Certain", { exact: true }),
    phone.page.getByRole("button", { name: "Copy for the incident" }),
  ]) {
    const box = await part.first().boundingBox();
    expect(box && box.y + box.height, (await part.first().textContent()) ?? "").toBeLessThan(PHONE.height);
  }
  await phone.context.close();
});

it("links evidence to the frame it is from, and unfolds it", async () => {
  await show(page, `/crashes/${maps.newer}`);
  expect(await page.getByText("frames of the runtime").count()).toBeGreaterThan(0);
  await page
    .locator(".evidence")
    .getByRole("link", { name: /goroutine \d+, frame \d+/ })
    .first()
    .click();
  await page.waitForURL(/#frame-\d+$/);
  const id = new URL(page.url()).hash.slice(1);
  const frame = page.locator(`[id="${id}"]`);
  await frame.waitFor();
  expect(await frame.textContent()).toContain("runtime.mapassign");
});

it("shows the application's frames with their variables, and lets others be opened", async () => {
  await show(page, `/crashes/${nilMap}`);
  const app = page.locator(".frame.owner-app").first();
  expect(await app.textContent()).toMatch(/store/);
  const toggle = app.getByRole("button", { name: /variable/ });
  const before = await toggle.getAttribute("aria-expanded");
  await toggle.click();
  expect(await toggle.getAttribute("aria-expanded")).not.toBe(before);
  await page.getByRole("button", { name: "Show every frame" }).click();
  expect(await page.getByText("frames of the runtime").count()).toBe(0);
  await page.getByRole("button", { name: "Fold again" }).click();
  expect(await page.getByText("frames of the runtime").count()).toBeGreaterThan(0);
});

it("shows the panic with the type of its value", async () => {
  await show(page, `/crashes/${wrapped}`);
  const chain = page.locator(".panic-chain");
  expect(await chain.textContent()).toContain("*fmt.wrapError");
});

it("folds a recursion and says how much was never read", async () => {
  await show(page, `/crashes/${overflow}`);
  expect(await page.locator(".frame").count()).toBeLessThan(60);
  expect(await page.getByText("again and again").count()).toBe(1);
  expect(await page.getByText(/frames left out here/).count()).toBe(1);
});

it("copies the crash as text, and says so to screen readers", async () => {
  await show(page, `/crashes/${maps.newer}`);
  await page.getByRole("button", { name: "Copy for the incident" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain("Concurrent map writes on s.byPath in main.(*stats).record");
  expect(text).toContain(`${url}/crashes/${maps.newer}`);
  expect(text).toContain("at fault:");
  expect(await page.locator("#announcements").textContent()).toContain("Copied the crash as text");
});

it("offers the evidence with its digest for download", async () => {
  await show(page, `/crashes/${nilMap}`);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: /Download .*nil-map-write/ }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("nil-map-write");
  expect(await page.locator(".digest code").first().textContent()).toMatch(/^[0-9a-f]{64}$/);
});

it("keeps the chosen theme", async () => {
  await show(page, "/");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: /Change to light/ }).click();
  await page.getByRole("button", { name: /Change to dark/ }).click();
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  await settle(page);
  expect(await background()).toBe(dark);
  expect(here.tab.complaints).toEqual([]);
});

it("has a few lines of Go that do it right, to be copied", async () => {
  await show(page, `/crashes/${nilMap}`);
  const mend = page.getByRole("region", { name: "What would mend it" });
  const example = await mend.getByRole("group", { name: "the example" }).textContent();
  expect(example).toContain("make(map");
  await mend.getByRole("button", { name: /Copy the example/ }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(example);
});
