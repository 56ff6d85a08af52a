// What holds for every page: both themes, both widths, accessible, inside the screen, no complaints.
import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { PHONE, WIDE, accessible, fits, launch, open, show } from "./browser";

const { url, maps, buckets, written, nilMap, leak, labels, overflow, wrapped, waiting, incidents } =
  inject("seeded");
const PAGES = {
  groups: "/",
  "groups-filtered": "/?q=map&sort=count",
  "groups-none": "/?q=no-such-thing",
  "groups-wrong": "/?q=class:nope",
  search: "/search",
  "search-found": "/search?q=service:billing",
  group: `/groups/${maps.group}`,
  crashes: "/crashes",
  "crash-maps": `/crashes/${maps.newer}`,
  "crash-nil-map": `/crashes/${nilMap}`,
  "crash-leak": `/crashes/${leak}`,
  "crash-overflow": `/crashes/${overflow}`,
  "crash-wrapped": `/crashes/${wrapped}`,
  "crash-waiting": `/crashes/${waiting}`,
  clusters: `/crashes/${leak}/goroutines`,
  goroutines: `/crashes/${leak}/goroutines?view=table`,
  "goroutines-labelled": `/crashes/${labels}/goroutines?view=table&sort=wait`,
  goroutine: `/crashes/${maps.newer}/goroutines/1`,
  "goroutine-expression": `/crashes/${maps.newer}/goroutines/1?frame=0&expr=len(nothing)`,
  maps: `/crashes/${maps.newer}/maps`,
  "maps-none": `/crashes/${waiting}/maps`,
  "map-groups": `/crashes/${maps.newer}/maps/${written.swiss.address}`,
  "map-buckets": `/crashes/${buckets}/maps/${written.hmap.address}`,
  "map-key": `/crashes/${buckets}/maps/${written.hmap.address}?key=%22%5C%22no%20such%20key%5C%22%22&rows=table`,
  incidents: "/incidents",
  "incident-open": `/incidents/${incidents.open}`,
  "incident-resolved": `/incidents/${incidents.resolved}`,
  rules: "/rules",
  "rules-new": "/rules?make=true&predicate=class:nil-map-write",
  binaries: "/binaries",
  upload: "/upload",
  "not-found": "/no/such/page",
  "no-crash": "/crashes/none",
  "no-incident": "/incidents/none",
};
const FOLDER = new URL("../screenshots/", import.meta.url).pathname;

let browser: Browser;
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  describe.each([WIDE, PHONE])("$width wide", (size) => {
    it.each(Object.entries(PAGES))("%s", async (name, path) => {
      const { page, context, complaints } = await open(browser, url, { theme, size });
      await show(page, path);
      await page.screenshot({ path: `${FOLDER}${name}-${theme}-${size.width}.png`, fullPage: true });
      expect(await page.title()).toMatch(/^.+ · Panicle$/);
      expect(await page.locator("h1").count()).toBe(1);
      await fits(page);
      await accessible(page);
      // That a crash or a name does not exist is the server's answer, which the browser reports.
      expect(complaints.filter((text) => !/400|404|422/.test(text))).toEqual([]);
      await context.close();
    });
  });
});

it("has a title of its own on every page", async () => {
  const { page, context } = await open(browser, url);
  const titles = new Map<string, string>();
  for (const [name, path] of Object.entries(PAGES)) {
    if (/^(?:groups-|rules-|no)/.test(name)) continue;
    await show(page, path);
    titles.set(name, await page.title());
  }
  // The two views of one crash's goroutines are one page, and so is a page with a question in its URL.
  for (const view of ["clusters", "goroutine-expression", "map-key", "search-found"]) titles.delete(view);
  expect(new Set(titles.values()).size, JSON.stringify([...titles])).toBe(titles.size);
  await context.close();
});
