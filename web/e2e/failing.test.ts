// An analysis that cannot be done: what is said, and that nothing is lost.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessible, launch, open, ownServer, show } from "./browser";
import { fixture } from "./fixtures";

// Far less memory than any analysis needs.
const server = ownServer("--analysis-memory-mib", "1", "--retry-after-seconds", "0");
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it("says why there is no report, keeps the evidence, and can try again", async () => {
  const id = await server().send(fixture("nil-map-write"));
  const { page, context, complaints } = await open(browser, server().url);
  await show(page, `/crashes/${id}`);
  const panel = page.locator(".state-panel.failed");
  await panel.waitFor({ timeout: 60_000 });
  await page.screenshot({ path: new URL("../screenshots/crash-failed.png", import.meta.url).pathname });
  expect(await panel.textContent()).toMatch(/stopped every time.*3 attempts/);
  expect(await page.locator(".files li").count()).toBe(2);
  await accessible(page);
  await page.getByRole("link", { name: /1 failed/ }).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Analyse again" }).click();
  // It is on its way again, which is said however short it takes.
  await expect.poll(() => page.locator("#announcements").textContent(), { timeout: 30_000 }).not.toBe("");
  await panel.waitFor({ timeout: 60_000 });
  await page.getByRole("link", { name: /1 failed/ }).click();
  await page.getByRole("link", { name: "Could not be analysed" }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
