// A server that is gone, and comes back.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessible, launch, open, ownServer, show } from "./browser";

const server = ownServer();
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it("says that the server does not answer, in words", async () => {
  const { page, context } = await open(browser, server().url);
  // The other pages are loaded while there is time, which may be before this one is done.
  const loaded = page.waitForRequest(/assets\/crashes-/);
  await show(page, "/upload");
  await loaded;
  await page.waitForLoadState("networkidle");
  await page.getByRole("link", { name: "Binaries" }).click();
  await page.getByRole("heading", { name: "Binaries" }).waitFor();
  await server().kill();
  await page.getByRole("link", { name: "Crashes" }).click();
  await page
    .getByRole("heading", { level: 1, name: "The server does not answer" })
    .waitFor({ timeout: 30_000 });
  expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(1);
  await accessible(page);
  await context.close();
});
