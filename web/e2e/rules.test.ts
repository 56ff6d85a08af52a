// Rules: tried on history, saved, in conflict, switched off and deleted.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PHONE, accessible, fits, launch, open, ownServer, show } from "./browser";
import { fixture } from "./fixtures";

const server = ownServer();
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  const sent = [
    await server().send(fixture("nil-map-write"), { service: "checkout" }),
    await server().send(fixture("stack-overflow"), { service: "parser" }),
  ];
  for (const id of sent) await server().until(id, "done");
});
afterAll(() => browser.close());

const PREDICATE = "class:nil-map-write || class:stack-overflow";
const form = (page: Page) => page.locator(".panel").first();

async function write(page: Page, name: string, predicate: string) {
  await page.getByRole("button", { name: "New rule…" }).click();
  await form(page).getByLabel("Name", { exact: true }).fill(name);
  await form(page).getByLabel("Crashes that it claims").fill(predicate);
}

it("are tried before they are saved, hold, conflict, and are put back", async () => {
  const { page, context, complaints } = await open(browser, server().url);
  await show(page, "/rules");
  await page.getByText("There is no rule yet.").waitFor();
  await write(page, "Storage", "class:nil-map-write || since:24h");
  await page.getByRole("button", { name: "Try it on history" }).click();
  await page.locator(".query-problem mark").waitFor();
  await accessible(page);
  await form(page).getByLabel("Crashes that it claims").fill(PREDICATE);
  await page.getByRole("button", { name: "Try it on history" }).click();
  const plan = page.locator(".panel .plan");
  await plan.getByText("2 crashes are like that").waitFor();
  expect(await plan.textContent()).toMatch(/of 2 crashes in all history.*Which crashes would move/);
  await accessible(page);
  await page.getByRole("button", { name: "Save the rule" }).click();
  const rule = page.locator(".rule", { hasText: "Storage" });
  await rule.waitFor();
  await accessible(page);
  await show(page, "/");
  await expect.poll(() => page.locator(".group").count(), { timeout: 30_000 }).toBe(1);

  await show(page, "/rules");
  await write(page, "Another", "class:stack-overflow");
  await page.getByRole("button", { name: "Save the rule" }).click();
  await page.getByText("It cannot be saved: others have a claim").waitFor();
  expect(await page.locator(".conflicts li").count()).toBe(1);
  await accessible(page);
  await page.getByRole("button", { name: "Cancel" }).click();

  await rule.getByRole("button", { name: "Switch off Storage" }).click();
  await rule.locator(".mark", { hasText: "off" }).waitFor();
  await rule.getByRole("button", { name: "History of Storage" }).click();
  await expect.poll(() => rule.locator(".history li").count()).toBe(2);
  await accessible(page);
  await show(page, "/");
  await expect.poll(() => page.locator(".group").count(), { timeout: 30_000 }).toBe(2);

  await show(page, "/rules");
  await rule.getByRole("button", { name: "Delete Storage" }).click();
  await rule.getByRole("button", { name: "Delete the rule" }).click();
  await page.getByText("There is no rule yet.").waitFor();
  // That a predicate is wrong or in conflict is the server's answer, which the browser reports.
  expect(complaints.filter((text) => !/400|409/.test(text))).toEqual([]);
  await context.close();
});

it("say what grouping anew would change, on a phone too", async () => {
  const { page, context } = await open(browser, server().url, { theme: "dark", size: PHONE });
  await show(page, "/rules");
  await page.getByRole("button", { name: "Say what would change" }).click();
  await page.getByText(/Nothing would change: all 2 crashes/).waitFor();
  await fits(page);
  await accessible(page);
  await page.getByRole("button", { name: "Group anew" }).click();
  await page.getByText(/Done: 2 crashes looked at, 0 moved/).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Try them" }).click();
  // The same program signs the same: both are analysed for it, and nothing is left to apply.
  await page.getByText(/2 of 2 crashes tried; none has another signature/).waitFor({ timeout: 60_000 });
  expect(await page.getByRole("button", { name: /Apply to/ }).count()).toBe(0);
  await accessible(page);
  await context.close();
});

it("mute groups, and do so anew when they are changed", async () => {
  const { page, context, complaints } = await open(browser, server().url);
  const muted = async (title: string) => {
    await show(page, "/?state=muted");
    await expect
      .poll(() => page.locator(".group").allTextContents(), { timeout: 30_000 })
      .toEqual([expect.stringContaining(title)]);
  };
  await show(page, "/rules");
  await write(page, "Deep recursion", "class:stack-overflow");
  await form(page).getByLabel("What it does").selectOption("mute");
  await page.getByRole("button", { name: "Try it on history" }).click();
  const plan = page.locator(".panel .plan");
  await plan.getByText(/is muted: all of its 1 crash/).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Save the rule" }).click();
  const rule = page.locator(".rule", { hasText: "Deep recursion" });
  await rule.getByText(/Mutes groups that have nothing else, until it escalates/).waitFor();
  await muted("Stack overflow");

  await show(page, "/rules");
  await rule.getByRole("button", { name: "Change Deep recursion" }).click();
  await rule.getByLabel("Crashes that it claims").fill("class:nil-map-write");
  await rule.getByRole("button", { name: "Try it on history" }).click();
  await rule
    .locator(".plan")
    .getByText(/is muted/)
    .waitFor();
  await accessible(page);
  await rule.getByLabel("Why").fill("the other one");
  await rule.getByRole("button", { name: "Save", exact: true }).click();
  await rule.locator("code", { hasText: "class:nil-map-write" }).waitFor();
  await rule.getByRole("button", { name: "History of Deep recursion" }).click();
  await expect
    .poll(() => rule.locator(".history li").first().textContent())
    .toMatch(/Claims\s*class:stack-overflow.*class:nil-map-write.*The other one\./);
  await muted("nil map");
  await show(page, "/rules");
  await rule.getByRole("button", { name: "Delete Deep recursion" }).click();
  await rule.getByRole("button", { name: "Delete the rule" }).click();
  await page.getByText("There is no rule yet.").waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
