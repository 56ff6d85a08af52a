// A service with tokens: signing in, coming back, signing out.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PHONE, WIDE, accessible, fits, launch, open, ownServer, settle, show } from "./browser";

const server = ownServer();
let token: string;
let browser: Browser;
beforeAll(async () => {
  token = server().token("read,manage");
  browser = await launch();
});
afterAll(() => browser.close());

it("asks for a token, with the keyboard alone, and comes back to where one was", async () => {
  const { page, context } = await open(browser, server().url);
  await page.goto("/crashes?q=class%3Anil-map-write");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  expect(await page.title()).toBe("Sign in · Panicle");
  const input = page.getByLabel("Access token");
  await input.and(page.locator(":focus")).waitFor();
  await page.keyboard.type("pnc_wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("This token is not valid here.").waitFor();
  await input.and(page.locator(":focus")).waitFor();
  await accessible(page);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(` ${token} `);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Crashes" }).waitFor();
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/crashes?q=class%3Anil-map-write");
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "panicle_session", httpOnly: true, sameSite: "Strict" });
  expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toContain(token);

  await show(page, "/rules");
  await accessible(page);
  await page.getByRole("button", { name: "Sign out, me" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  expect(await context.cookies()).toEqual([]);
  await page.goto("/rules");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await context.close();
});

it("asks again in the middle of things when the token is not valid any more", async () => {
  const { page, context } = await open(browser, server().url);
  await page.goto("/sign-in");
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "No crash has been grouped yet" }).waitFor();
  await context.clearCookies();
  await page.getByRole("link", { name: "Binaries" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.getByLabel("Access token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Binaries" }).waitFor();
  await context.close();
});

it.each(["light", "dark"] as const)("can be read and used in the %s theme", async (theme) => {
  for (const size of [WIDE, PHONE]) {
    const { page, context } = await open(browser, server().url, { theme, size });
    await page.goto("/sign-in?back=https%3A%2F%2Felsewhere.example");
    await settle(page);
    expect(await page.getByRole("navigation", { name: "Main" }).count()).toBe(0);
    await fits(page);
    await accessible(page);
    // Where one goes afterwards is a page of this service.
    await page.getByLabel("Access token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "No crash has been grouped yet" }).waitFor();
    expect(page.url().startsWith(server().url)).toBe(true);
    await fits(page);
    await accessible(page);
    await context.close();
  }
});
