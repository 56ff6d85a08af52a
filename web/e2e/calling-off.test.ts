// An analysis that nobody wants any more.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessible, launch, open, ownServer, show } from "./browser";
import { fixture } from "./fixtures";

// Nobody takes the work.
const server = ownServer("--workers", "0");
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it("says what is before an analysis, and calls it off", async () => {
  await server().send(fixture("deadlock"));
  const id = await server().send(fixture("nil-map-write"));
  const { page, context, complaints } = await open(browser, server().url);
  await show(page, `/crashes/${id}`);
  const working = page.locator(".state-panel.working");
  await working.getByText(/job(s are| is) before it/).waitFor();
  await accessible(page);
  await page.screenshot({ path: new URL("../screenshots/crash-waiting.png", import.meta.url).pathname });
  await page.getByRole("button", { name: "Call the analysis off" }).focus();
  await page.keyboard.press("Enter");
  const failed = page.locator(".state-panel.failed");
  await failed.waitFor();
  expect(await failed.textContent()).toMatch(/The analysis was called off/);
  expect(await failed.textContent()).not.toMatch(/attempt/);
  await accessible(page);
  await page.getByRole("button", { name: "Analyse again" }).click();
  await working.waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
