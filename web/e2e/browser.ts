// A real browser, and what every test expects of every page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Server } from "./server";

const EXECUTABLE = process.env.PANICLE_CHROMIUM ?? process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export type Theme = "light" | "dark";
export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}

export interface Tab {
  page: Page;
  context: BrowserContext;
  /** What the browser complained of, errors of the content security policy included. */
  complaints: string[];
}

export async function open(
  browser: Browser,
  baseURL: string,
  { theme = "light", size = WIDE }: { theme?: Theme; size?: typeof WIDE } = {},
): Promise<Tab> {
  const context = await browser.newContext({
    baseURL,
    viewport: size,
    colorScheme: theme,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, context, complaints };
}

interface Tabs {
  /** That of the test that runs. */
  readonly tab: Tab;
  readonly browser: Browser;
}

/** One browser for the tests of a file, and a new tab for each, which `opened` is given. */
export function tabs(url: () => string, opened: (page: Page) => void): Tabs {
  let browser: Browser;
  let tab: Tab;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    tab = await open(browser, url());
    opened(tab.page);
  });
  afterEach(() => tab.context.close());
  return {
    get tab() {
      return tab;
    },
    get browser() {
      return browser;
    },
  };
}

/** A server for the tests of one file alone. */
export function ownServer(...options: string[]): () => Server {
  let server: Server;
  beforeAll(async () => {
    server = await Server.start(...options);
  });
  afterAll(() => server.stop());
  return () => server;
}

/** Goes to a page and waits until it shows what it has. */
export async function show(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settle(page);
}

export async function settle(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".bone").length === 0);
  await page.evaluate(() => document.fonts.ready);
}

/** No violation of WCAG A and AA that a program can find, nor of what axe calls best practice. */
export async function accessible(page: Page): Promise<void> {
  const found = await page.evaluate(async (source) => {
    // Injected as text: the page's own policy allows no foreign script.
    (0, eval)(source);
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`,
    );
  }, AXE);
  expect(found, page.url()).toEqual([]);
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
}

/** The page itself never scrolls sideways. */
export async function fits(page: Page): Promise<void> {
  const { content, view } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    view: document.documentElement.clientWidth,
  }));
  expect(content, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(view);
}
