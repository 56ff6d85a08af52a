// Which map, who was at it, what is in it and how it lies: of real crashes, asked of the real service.
import type { Page } from "playwright-core";
import { describe, expect, inject, it } from "vitest";
import type { GoMap, MapEntries, MapPage } from "../src/api/types";
import { PHONE, accessible, open, settle, show, tabs } from "./browser";

const { url, maps, buckets, written, nilMap, waiting } = inject("seeded");
const { swiss, hmap } = written;
let page: Page;
const here = tabs(
  () => url,
  (opened) => (page = opened),
);

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

const mapPath = (crash: string, map: GoMap, search = "") => `/crashes/${crash}/maps/${map.address}${search}`;

describe("the crash page", () => {
  it("names the map and who was at it on the first screen of a phone", async () => {
    const phone = await open(here.browser, url, { size: PHONE });
    await show(phone.page, `/crashes/${maps.newer}`);
    const card = phone.page.locator(".map-card");
    for (const part of [
      card.getByRole("heading", { name: /The map s\.byPath/ }),
      card.getByText("map[string]int").first(),
      card.locator(".parties .party-head").first(),
    ]) {
      const box = await part.boundingBox();
      expect(box && box.y + box.height, (await part.textContent()) ?? "").toBeLessThan(PHONE.height);
    }
    await phone.context.close();
  });

  it("says how sure each party is and why, and leads to its frame", async () => {
    await show(page, `/crashes/${maps.newer}`);
    const noticed = page.locator(".map-card .parties li").first();
    const user = swiss.users.find((one) => one.noticed);
    expect(await noticed.textContent()).toContain(`Goroutine ${user?.goroutine ?? ""}`);
    expect(await noticed.textContent()).toContain("was writing in main.(*stats).record");
    expect(await noticed.locator(".party-why").textContent()).not.toBe("");
    expect(await noticed.getByText(/^(Certain|Likely)$/).count()).toBe(1);
    await noticed.locator(".party-place").click();
    await page.waitForURL(new RegExp(`goroutines/${user?.goroutine ?? ""}#frame-\\d+$`));
    await settle(page);
    const frame = page.locator(`[id="${new URL(page.url()).hash.slice(1)}"]`);
    expect(await frame.textContent()).toContain("record");
  });

  it("says why nobody else is named, or names somebody", async () => {
    for (const crash of [maps.newer, buckets]) {
      await show(page, `/crashes/${crash}`);
      const parties = await page.locator(".map-card .parties li").count();
      if (parties > 1) continue;
      const notice = page.locator(".map-card .notice");
      expect(await notice.textContent()).toMatch(/The other goroutine is not named\. \w.{20,}/);
    }
  });

  it("says of a nil map what it is called and who carries it", async () => {
    await show(page, `/crashes/${nilMap}`);
    const card = page.locator(".map-card");
    const text = (await card.textContent()) ?? "";
    expect(text).toContain("Nil");
    expect(text).toMatch(/map\[string\](\*?session\.)?/);
    expect(text).toContain("a write panics");
    expect(await card.locator(".holders li").count()).toBeGreaterThan(0);
    expect(await card.getByRole("link", { name: /Everything about this map/ }).count()).toBe(0);
  });

  it("puts the map into what is copied for the incident", async () => {
    await show(page, `/crashes/${maps.newer}`);
    await page.getByRole("button", { name: "Copy for the incident" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toMatch(
      /Map s\.byPath, map\[string\]int, \d+ entries:\n- goroutine \d+, which noticed, was writing/,
    );
  });
});

describe("the list of maps", () => {
  const rows = () => page.locator(".virtual-body [role=row]");

  it("lists what was found, and keeps filters and order in the URL", async () => {
    const { total } = await ask<MapPage>(`/crashes/${maps.newer}/maps`);
    await show(page, `/crashes/${maps.newer}`);
    await page.getByRole("link", { name: "See and search all maps" }).click();
    await page.getByRole("heading", { level: 1, name: "Maps" }).waitFor();
    await settle(page);
    expect(await page.locator(".virtual").getAttribute("aria-rowcount")).toBe(String(total + 1));
    expect(await rows().count()).toBeLessThanOrEqual(60);
    await page.getByLabel("Type").fill("map[string]int");
    await page.waitForURL(/type=/);
    await page.locator(".result-count", { hasText: " of " }).waitFor();
    await settle(page);
    for (const type of await page.locator(".virtual-body .cell-type").allTextContents())
      expect(type).toContain("map[string]int");
    await page.getByRole("link", { name: "Entries" }).click();
    await page.waitForURL(/sort=count/);
    await page.reload();
    await settle(page);
    expect(await page.getByLabel("Type").inputValue()).toBe("map[string]int");
    expect(await page.locator("[aria-sort=descending]").textContent()).toContain("Entries");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForURL((address) => !address.search.includes("type"));
  });

  it("finds the maps of a goroutine", async () => {
    const user = swiss.users[0];
    await show(page, `/crashes/${maps.newer}/maps?goroutine=${user?.goroutine ?? ""}`);
    const links = page.locator(".virtual-body .cell-type a");
    const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    expect(hrefs).toContain(`/crashes/${maps.newer}/maps/${swiss.address}`);
  });

  it("says that no map is like that", async () => {
    await show(page, `/crashes/${maps.newer}/maps?type=no-such-type`);
    expect(await page.getByText("No map is like that.").count()).toBe(1);
  });

  it("says why there are none", async () => {
    await show(page, `/crashes/${waiting}/maps`);
    const text = (await page.locator("main").textContent()) ?? "";
    expect(text).toMatch(/No map was found|Maps are found when/);
    expect(await page.locator(".virtual").count()).toBe(0);
    await accessible(page);
  });
});

describe("the page of a map", () => {
  it("says what it is and explains its header", async () => {
    await show(page, mapPath(maps.newer, swiss));
    expect(await page.locator("h1").textContent()).toBe("Map s.byPath");
    expect(await page.locator(".lead").textContent()).toContain("map[string]int");
    const header = page.locator("section[aria-labelledby=header]");
    expect(await header.locator("dt", { hasText: "globalDepth" }).count()).toBe(1);
    await show(page, mapPath(buckets, hmap));
    const fields = await header.locator("dt").allTextContents();
    expect(fields).toEqual(expect.arrayContaining(["B", "noverflow", "nevacuate", "load factor"]));
    for (const meaning of await header.locator(".meaning").allTextContents()) expect(meaning).not.toBe("");
  });

  it("leads from who holds it to the frame", async () => {
    await show(page, mapPath(maps.newer, swiss));
    const holder = page.locator(".holder-table a.reference").first();
    const words = /goroutine (\d+), frame (\d+)/.exec((await holder.textContent()) ?? "");
    await holder.click();
    await page.waitForURL(`**/goroutines/${words?.[1] ?? ""}#frame-${words?.[2] ?? ""}`);
  });

  it("pages, filters and sorts the entries on the server", async () => {
    await show(page, mapPath(buckets, hmap));
    const keys = page.locator("table.entries tbody th");
    await keys.first().waitFor();
    expect(await keys.count()).toBeLessThanOrEqual(50);
    const first = await keys.allTextContents();
    await page.getByRole("button", { name: /^Next \d+/ }).click();
    await page.waitForURL(/cursor=/);
    await expect.poll(() => keys.first().textContent()).not.toBe(first[0]);
    expect((await keys.allTextContents()).filter((key) => first.includes(key))).toEqual([]);
    await page
      .getByRole("navigation", { name: "Parts of the entries" })
      .getByRole("button", { name: "Before" })
      .click();
    await expect.poll(() => keys.first().textContent()).toBe(first[0]);
    const part = first[2] ?? "";
    await page.getByLabel("Key or value contains").fill(part);
    await page.waitForURL(/filter=/);
    await page.locator(".result-count", { hasText: /^\d+ match/ }).waitFor();
    expect(await keys.count()).toBeGreaterThan(0);
    for (const row of await page.locator("table.entries tbody tr").allTextContents())
      expect(row).toContain(part);
    await page.getByRole("link", { name: "Key" }).click();
    await page.waitForURL(/sort=key/);
    await expect.poll(() => page.locator("th[aria-sort=ascending]").count()).toBe(1);
    await expect.poll(async () => isSorted(await keys.allTextContents())).toBe(true);
    await page.reload();
    await settle(page);
    expect(await page.getByLabel("Key or value contains").inputValue()).toBe(part);
  });

  it("looks up a key, says where it lies and why, and marks it in the drawing", async () => {
    for (const [crash, map] of [
      [maps.newer, swiss],
      [buckets, hmap],
    ] as const) {
      const { entries } = await ask<MapEntries>(`/crashes/${crash}/maps/${map.address}/entries?limit=3`);
      const wanted = entries.at(-1);
      await show(page, mapPath(crash, map));
      await page.getByLabel("Look up a key, as Go writes it").fill(wanted?.key ?? "");
      await page.keyboard.press("Enter");
      await page.locator(".key-entry").first().waitFor();
      const text = (await page.locator(".key-entry").first().textContent()) ?? "";
      expect(text).toContain(wanted?.key);
      expect(text).toContain(wanted?.value);
      await page.locator(".slots .slot-key").waitFor();
      expect(await page.locator(".slots .slot-key").getAttribute("aria-label")).toContain("the key");
      expect(await page.locator(".key-why li").count()).toBeGreaterThan(0);
      expect(new URL(page.url()).searchParams.has("key")).toBe(true);
      await page.reload();
      await page.locator(".slots .slot-key").waitFor();
    }
  });

  it("says that a key is not there, and marks what is wrong with one", async () => {
    await show(page, mapPath(maps.newer, swiss));
    const field = page.getByLabel("Look up a key, as Go writes it");
    await field.fill('"no such key"');
    await page.keyboard.press("Enter");
    await page.locator(".key-answer").getByText("The map has no key").waitFor();
    await field.fill('"no end');
    await page.keyboard.press("Enter");
    await page.locator(".expression-error").waitFor();
    expect(await page.locator(".expression-error").textContent()).not.toMatch(/[{}]/);
    await accessible(page);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForURL((address) => !address.search.includes("key"));
    expect(await page.locator(".expression-error").count()).toBe(0);
  });

  it("draws few rows at once, and is walked with the arrow keys", async () => {
    await show(page, mapPath(buckets, hmap));
    const rows = page.locator(".slots [role=row]");
    await rows.first().waitFor();
    const drawn = await rows.count();
    expect(drawn).toBeGreaterThan(1);
    expect(drawn).toBeLessThanOrEqual(60);
    // One stop for the Tab key, wherever it is.
    expect(await page.locator(".slots [tabindex='0']").count()).toBe(1);
    await page.locator(".slots [tabindex='0']").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    const at = () => page.evaluate(() => document.activeElement?.getAttribute("data-cell"));
    expect(await at()).toBe("1-1");
    expect(await page.locator(".slot-chosen").textContent()).toContain("Bucket 1, slot 1");
    await page.keyboard.press("End");
    expect(await at()).toMatch(/^1-(7|15|23)$/);
    await page.keyboard.press("PageDown");
    expect(await at()).toMatch(new RegExp(`^${drawn - 1}-`));
  });

  it("has a table that says the same as the drawing", async () => {
    await show(page, mapPath(buckets, hmap));
    const row = page.locator(".slots [role=row]").first();
    await row.waitFor();
    const full = await row.locator(".slot-full").count();
    await page.getByRole("button", { name: "Table" }).click();
    await page.locator(".layout-table").waitFor();
    const cells = await page.locator(".layout-table tbody tr").first().locator("td").allTextContents();
    expect(cells[0]).toBe(String(full));
    await page.waitForURL(/rows=table/);
    await accessible(page);
  });

  it("says that there is no such map", async () => {
    await show(page, `/crashes/${maps.newer}/maps/0x123`);
    expect(await page.locator("h1").textContent()).toBe("There is no such map");
  });
});

/** The keys of the map with buckets are numbers. */
function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, index) => index === 0 || Number(keys[index - 1]) < Number(key));
}
