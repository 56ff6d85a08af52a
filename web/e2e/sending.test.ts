// From an empty server to a verdict, in a browser.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect, it } from "vitest";
import { accessible, show, tabs, ownServer } from "./browser";
import { dumpOfSleep } from "./c-core";
import { fixture } from "./fixtures";

const server = ownServer();
let page: Page;
const here = tabs(
  () => server().url,
  (opened) => (page = opened),
);
const folder = mkdtempSync(join(tmpdir(), "panicle-e2e-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("says how to send the first crash", async () => {
  await show(page, "/");
  await page.getByRole("heading", { name: "No crash has been grouped yet" }).waitFor();
  await page.getByRole("button", { name: "Copy the upload command" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `panicle upload core ./core --binary ./app --server ${server().url}`,
  );
  await accessible(page);
  await page.getByRole("link", { name: "Send files from this browser" }).click();
  await page.waitForURL(/upload$/);
});

it("takes core and executable, and comes to the verdict by itself", async () => {
  const crash = fixture("index-out-of-range");
  await show(page, "/upload");
  await page.locator("input[type=file]").setInputFiles([crash.core, crash.binary]);
  await page.locator(".upload-items li").nth(1).waitFor();
  expect(await page.getByLabel("Kind of core").inputValue()).toBe("core");
  expect(await page.getByLabel("Kind of index-out-of-range").inputValue()).toBe("binary");
  await page.getByLabel("Service").fill("catalogue");
  await accessible(page);
  await page.getByRole("button", { name: "Send and analyse" }).click();
  await page.waitForURL(/crashes\/[0-9a-f-]+$/);
  await page
    .getByRole("heading", { level: 1, name: /Index 3 out of range of length 3/ })
    .waitFor({ timeout: 60_000 });
  expect(await page.locator(".context").textContent()).toContain("catalogue");
  expect(here.tab.complaints).toEqual([]);
});

it("takes what a program printed alone", async () => {
  const crash = fixture("nil-map-write");
  await show(page, "/upload");
  await page.locator("input[type=file]").setInputFiles(crash.stderr);
  await page.getByRole("button", { name: "Send and analyse" }).click();
  await page.getByRole("heading", { level: 1, name: /nil map/ }).waitFor({ timeout: 60_000 });
  // Without memory there are no addresses of threads, and no guess at them.
  expect(await page.locator("section", { has: page.locator("#threads") }).textContent()).toContain("unknown");
});

it("says why it does not take what is no core", async () => {
  const wrong = join(folder, "core.txt");
  writeFileSync(wrong, "this is no core");
  await show(page, "/upload");
  await page.locator("input[type=file]").setInputFiles(wrong);
  await page.getByLabel("Kind of core.txt").selectOption("core");
  await page.getByRole("button", { name: "Send and analyse" }).click();
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").textContent()).toMatch(/no core/i);
  await page.getByRole("button", { name: "Remove core.txt" }).click();
  expect(await page.getByText("Nothing is chosen yet.").count()).toBe(1);
});

it("waits for the binary, tells a wrong one, and goes on with the right one", async () => {
  const crash = fixture("slice-bounds");
  const id = await server().send(crash, { binary: false });
  await server().until(id, "waiting-for-binary");
  await show(page, `/crashes/${id}`);
  await page.getByRole("heading", { level: 1, name: "The binary that crashed is missing" }).waitFor();
  const file = page.locator("input[type=file]");
  await file.setInputFiles(fixture("divide-by-zero").binary);
  await page.getByText("This is not the executable that crashed.").waitFor({ timeout: 60_000 });
  await file.setInputFiles(crash.binary);
  await page.getByRole("heading", { level: 1, name: /Slice bounds/ }).waitFor({ timeout: 60_000 });
  expect(await page.locator("#announcements").textContent()).toContain("Analysed");
});

it("shows what a cut core gives, and says what is missing", async () => {
  const crash = fixture("unhashable-key");
  const cut = join(folder, "cut.core");
  const whole = readFileSync(crash.core);
  writeFileSync(cut, whole.subarray(0, Math.floor(whole.length / 2)));
  const id = await server().send({ ...crash, core: cut });
  await server().until(id, "done");
  await show(page, `/crashes/${id}`);
  await page.getByRole("link", { name: /missing or doubtful/ }).click();
  expect(await page.locator(".diagnostics li").count()).toBeGreaterThan(0);
  await accessible(page);
});

it("tells an executable that was sent along and is another one", async () => {
  const wrong = fixture("nil-func-call").binary;
  const id = await server().sendCore(fixture("makeslice").core, [await server().put("binary", wrong)]);
  await server().until(id, "waiting-for-binary");
  await show(page, `/crashes/${id}`);
  await page.getByText("What was sent with it is another executable:").waitFor();
  await accessible(page);
});

it("says that a core is not of a Go program", async () => {
  const id = await server().sendCore(await dumpOfSleep(folder));
  await server().until(id, "done");
  await show(page, `/crashes/${id}`);
  await page.getByRole("link", { name: /missing or doubtful/ }).click();
  expect(await page.locator(".diagnostics").textContent()).toContain("no core of a Go program");
  expect(await page.locator("#threads + .scroll tbody tr").count()).toBeGreaterThan(0);
  await accessible(page);
});
