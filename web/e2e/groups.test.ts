// Incidents: found, understood, and put away.
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { accessible, settle, show, tabs } from "./browser";

const { url, maps, leak, waiting } = inject("seeded");
let page: Page;
tabs(
  () => url,
  (opened) => (page = opened),
);

it("lists one line for both crashes of one cause", async () => {
  await show(page, "/");
  const line = page.locator(".group", { hasText: "Concurrent map writes at" });
  expect(await line.count()).toBe(1);
  expect(await line.locator(".group-count").textContent()).toBe("2 crashes");
  expect(await line.textContent()).toContain("billing");
  expect(await line.textContent()).toMatch(/go1\.24\.\d+.*go1\.26\.\d+/);
});

it("filters by query, class and service, in the URL", async () => {
  await show(page, "/");
  const all = await page.locator(".group").count();
  await page.getByLabel("Search groups").fill("class:nil-map-write");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=class/);
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

it("shows what the goroutines of a dump share, on the crash and on its group", async () => {
  await show(page, `/crashes/${leak}`);
  // Nobody is at fault: what all of them do comes before what would mend it.
  expect(await page.locator("h2").allTextContents()).not.toContain("The goroutine at fault");
  const shared = page.getByRole("list", { name: "Shared stacks, most goroutines first" });
  const first = /^17 %\s*40 goroutines.*example\.com\/panicle\/goroutine-leak\/leak\.\(\*Leaks\)\./;
  expect(await shared.locator(":scope > li").first().textContent()).toMatch(first);
  expect(await shared.locator(":scope > li").count()).toBeLessThanOrEqual(8);
  await page.locator(".its-group a").click();
  await page.waitForURL(/groups\//);
  await settle(page);
  await page.getByRole("heading", { name: "Why these are one group" }).waitFor();
  await expect.poll(() => shared.locator(":scope > li").first().textContent()).toMatch(first);
});

const action = (name: string) => page.locator(".actions").getByRole("button", { name });
const field = (name: string) => page.locator(".panel").getByLabel(name, { exact: true });
const state = (name: string) => page.locator(`.page-title .mark.state-${name}`);

it("is resolved in a version by keyboard, told in its history, and that is taken back", async () => {
  await show(page, `/groups/${maps.group}`);
  await action("Resolve…").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("SELECT");
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Resolve…");
  await action("Resolve…").click();
  await field("First version with the fix").fill("v1.4.2");
  await field("Why").fill("the lock covers the map now");
  await field("Your name").fill("ada");
  await accessible(page);
  await page.keyboard.press("Enter");
  await state("resolved").waitFor();
  expect(await page.locator(".group-state").textContent()).toMatch(/Resolved in v1\.4\.2: the lock covers/);
  await page.reload();
  await settle(page);
  await state("resolved").waitFor();
  const entry = page.locator(".history li").first();
  expect(await entry.textContent()).toMatch(/ada changed.*New → Resolved.*in v1\.4\.2/);
  await accessible(page);
  await entry.getByRole("button", { name: /Undo/ }).click();
  await state("new").waitFor();
  await page.locator(".history li.undone").first().waitFor();
});

it("says which field of a mute is wrong, and mutes until a count", async () => {
  await show(page, `/groups/${maps.group}`);
  await action("Mute…").click();
  await field("More crashes").fill("many");
  await page.locator(".panel").getByRole("button", { name: "Mute" }).click();
  await page.locator(".panel [aria-invalid=true]").waitFor();
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")))
    .toBe("true");
  await accessible(page);
  await field("More crashes").fill("10");
  await page.locator(".panel").getByRole("button", { name: "Mute" }).click();
  await state("muted").waitFor();
  expect(await page.locator(".group-state").textContent()).toMatch(
    /until 10 more crashes.*0 of 10 have come/,
  );
  await action("Unmute").click();
  await state("new").waitFor();
});

it("tells when somebody else was faster, and loses nothing", async () => {
  await show(page, `/groups/${maps.group}`);
  await action("Owner and notes…").click();
  await field("Owner").fill("team-maps");
  await fetch(`${url}/api/v1/groups/${maps.group}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ notes: "Bob looks at it.", actor: "bob" }),
  });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody changed this group while you were at it.").waitFor();
  await page.locator(".group-notes", { hasText: "Bob looks at it." }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Save nevertheless" }).click();
  await expect.poll(() => page.locator(".panel").count()).toBe(0);
  const numbers = page.getByRole("complementary", { name: "About this group" });
  await expect.poll(() => numbers.textContent()).toMatch(/Ownerteam-maps.*Bob looks at it\./);
});

it("shows builds and hosts with counts, and its trend over days", async () => {
  await show(page, `/groups/${maps.group}`);
  const hosts = page.getByRole("table", { name: "Hosts with their crashes" });
  expect(await hosts.locator("tbody tr").count()).toBe(2);
  expect(await hosts.textContent()).toMatch(/billing-1150 %/);
  expect(
    await page.getByRole("table", { name: "Builds with their crashes" }).locator("tbody tr").count(),
  ).toBe(2);
  await page.getByRole("link", { name: "30 days" }).click();
  await page.waitForURL(/trend=month/);
  await page.getByText("As a table").click();
  const days = page.getByRole("table", { name: /Crashes per day/ });
  await expect.poll(() => days.locator("tbody tr").count()).toBe(30);
});

it("is merged with another group, and parted again", async () => {
  await show(page, `/groups/${maps.group}`);
  await action("Merge…").click();
  await page.locator(".panel").getByLabel("Find the other group").fill("stack overflow");
  const other = page.locator(".panel .check", { hasText: "Stack overflow at" });
  await expect.poll(() => page.locator(".panel .choices").first().locator(".check").count()).toBe(1);
  await other.getByRole("radio").check();
  await accessible(page);
  await page.locator(".panel").getByRole("button", { name: "Merge" }).click();
  await page.getByRole("heading", { name: "Merged into this one" }).waitFor();
  await expect.poll(() => page.locator("table.crashes tbody tr").count()).toBe(3);
  await accessible(page);
  await page.getByRole("button", { name: /Unmerge group/ }).click();
  await expect.poll(() => page.locator("table.crashes tbody tr").count()).toBe(2);
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
  // Other tests send crashes too, whose groups come first.
  for (let step = 0; step < 200; step += 1) {
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
  // Reading goes on at the page, not at the top of the document. The focus moves once the page is there.
  await page.waitForFunction(() => document.activeElement?.id === "main", undefined, { timeout: 5000 });
});
