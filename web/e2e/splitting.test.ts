// Crashes that are not of their group's bug: put into one of their own, and back.
import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { accessible, ownServer, settle, show, tabs } from "./browser";
import { fixture } from "./fixtures";

const server = ownServer();
let page: Page;
const here = tabs(
  () => server().url,
  (opened) => (page = opened),
);
let crash: string;
let group: string;
beforeAll(async () => {
  const other = await server().send(fixture("concurrent-map-writes", "1.24"), { hostname: "billing-1" });
  crash = await server().send(fixture("concurrent-map-writes", "1.26"), { hostname: "billing-2" });
  group = (await server().until(other, "done")) ?? "";
  expect(await server().until(crash, "done")).toBe(group);
});

const rows = () => page.locator("table.crashes tbody tr");
const history = () => page.locator(".history li").first();

async function undo(): Promise<void> {
  await show(page, `/groups/${group}`);
  await expect.poll(() => rows().count()).toBe(1);
  expect(await history().textContent()).toMatch(/ada split a part off.*Crashes\s*1/);
  await accessible(page);
  await history().getByRole("button", { name: /Undo/ }).click();
  await expect.poll(() => rows().count()).toBe(2);
  await page.locator(".history li.undone").first().waitFor();
}

it("splits off what was ticked in the list of a group, and undoes it", async () => {
  await show(page, `/groups/${group}`);
  await page.getByRole("checkbox", { name: /Choose the crash of billing-2/ }).check();
  await page.getByRole("button", { name: "Split off 1 crash…" }).click();
  await page.locator(".panel").getByLabel("Title").fill("Not the same at all");
  await page.locator(".panel").getByLabel("Your name").fill("ada");
  await accessible(page);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Not the same at all" }).waitFor();
  await settle(page);
  expect(await rows().count()).toBe(1);
  await undo();
});

it("splits a crash off on its own page, by keyboard, and tells why it is where it is", async () => {
  await show(page, `/crashes/${crash}`);
  const its = page.getByRole("region", { name: "Its group" });
  expect(await its.textContent()).toMatch(/one of 2 crashes.*Its signature put it there\./);
  expect(await its.locator(".explain").textContent()).toMatch(/Kept.*main\.\(\*stats\)\.record/);
  const opener = its.getByRole("button", { name: "Split it off…" });
  await opener.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("INPUT");
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Split it off…");
  await page.keyboard.press("Enter");
  await its.getByLabel("Why").fill("another map");
  await its.getByLabel("Your name").fill("ada");
  await page.keyboard.press("Enter");
  await its.getByText("A person put it there").waitFor();
  expect(await its.textContent()).toMatch(/the only crash in it/);
  await accessible(page);
  expect(here.tab.complaints).toEqual([]);
  await undo();
  await show(page, `/crashes/${crash}`);
  await its.getByText("Its signature put it there.").waitFor();
});
