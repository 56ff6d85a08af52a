// Asking for crashes and groups: with completion, with what is wrong, and kept for later.
import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { accessible, settle, show, tabs } from "./browser";

const { url } = inject("seeded");
let page: Page;
tabs(
  () => url,
  (opened) => (page = opened),
);

const options = () => page.locator(".completions [role=option]");

it("completes fields and values by keyboard, and finds what they ask for", async () => {
  await show(page, "/search");
  const box = page.getByRole("combobox", { name: "Query" });
  await box.focus();
  await page.keyboard.type("serv");
  await options().first().waitFor();
  expect(await box.getAttribute("aria-expanded")).toBe("true");
  await page.keyboard.press("ArrowDown");
  const active = await box.getAttribute("aria-activedescendant");
  expect(await page.locator(`[id="${active ?? ""}"]`).getAttribute("aria-selected")).toBe("true");
  await page.keyboard.press("Enter");
  expect(await box.inputValue()).toBe("service:");
  await page.keyboard.type("bil");
  await expect.poll(() => options().allTextContents()).toEqual([expect.stringMatching(/^billing/)]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  expect(await box.inputValue()).toBe("service:billing ");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=service/);
  await settle(page);
  await expect.poll(() => page.locator(".groups .group").count()).toBe(1);
  expect(await page.locator("table.crashes tbody tr").count()).toBe(2);
  await accessible(page);
});

it("closes only the list with Escape, and forgets nothing", async () => {
  await show(page, "/crashes");
  const box = page.getByRole("combobox", { name: "Search crashes" });
  await box.fill("cla");
  await options().first().waitFor();
  await page.keyboard.press("Escape");
  expect(await options().count()).toBe(0);
  expect(await box.inputValue()).toBe("cla");
  await page.keyboard.press("ArrowDown");
  await options().first().waitFor();
  await accessible(page);
});

it("points at what is wrong in a query", async () => {
  for (const path of ["/search", "/crashes", "/"]) {
    await show(page, `${path}?q=${encodeURIComponent("since:24h class:nope")}`);
    const problem = page.locator(".query-problem");
    await problem.waitFor();
    expect(await problem.locator("mark").textContent()).toBe("nope");
    const box = page.locator("input[role=combobox]");
    expect(await box.getAttribute("aria-invalid")).toBe("true");
    expect(await box.inputValue()).toBe("since:24h class:nope");
    await accessible(page);
  }
});

it("says that nothing is like that, and what can be asked", async () => {
  await show(page, "/search?q=service:no-such-service");
  await page.getByText("Nothing is like that.").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL(/search$/);
  await page.getByRole("table", { name: /Of a crash: what can be asked/ }).waitFor();
  await page
    .getByRole("link", { name: /^class:/ })
    .first()
    .click();
  await page.waitForURL(/q=class/);
});

it("keeps queries, changes them and forgets them", async () => {
  await show(page, "/?q=service:billing");
  await page.getByText("Saved queries").click();
  await page.getByLabel("Save what is in the box as").fill("Billing");
  await page.locator(".saved").getByRole("button", { name: "Save" }).click();
  const kept = page.getByRole("list", { name: "Saved queries" });
  await kept.getByRole("button", { name: "Billing", exact: true }).waitFor();
  await page.getByLabel("Save what is in the box as").fill("Billing");
  await page.locator(".saved").getByRole("button", { name: "Save" }).click();
  await page.getByText("The name is taken").waitFor();
  await page.getByRole("button", { name: "Edit Billing" }).click();
  await accessible(page);
  const form = page.getByRole("form", { name: "Edit Billing" });
  await form.getByLabel("Name").fill("Billing tonight");
  await form.getByRole("combobox").fill("service:billing class:concurrent-map-write");
  await form.getByRole("combobox").press("Escape");
  await form.getByRole("button", { name: "Save" }).click();
  await kept.getByRole("button", { name: "Billing tonight", exact: true }).click();
  await page.waitForURL(/concurrent-map-write/);
  expect(await page.getByLabel("Search groups").inputValue()).toBe(
    "service:billing class:concurrent-map-write",
  );
  await page.getByText("Saved queries").click();
  await page.getByRole("button", { name: "Edit Billing tonight" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("None is kept yet.").waitFor();
});
