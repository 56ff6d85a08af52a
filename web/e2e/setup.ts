// One server with a few real crashes, for all tests that only look.
import type { TestProject } from "vitest/node";
import { fixture } from "./fixtures";
import { Server } from "./server";

declare module "vitest" {
  interface ProvidedContext {
    seeded: Seeded;
  }
}

export interface Seeded {
  url: string;
  maps: { older: string; newer: string; group: string };
  nilMap: string;
  leak: string;
  labels: string;
  overflow: string;
  wrapped: string;
  waiting: string;
}

export default async function setup(project: TestProject) {
  const server = await Server.start();
  const older = await server.send(fixture("concurrent-map-writes", "1.24"), {
    service: "billing",
    hostname: "billing-1",
  });
  const newer = await server.send(fixture("concurrent-map-writes", "1.26"), {
    service: "billing",
    hostname: "billing-2",
  });
  const nilMap = await server.send(fixture("nil-map-write"), { service: "checkout" });
  const leak = await server.send(fixture("goroutine-leak"), { service: "gateway" });
  const labels = await server.send(fixture("labels"), { service: "scheduler" });
  const overflow = await server.send(fixture("stack-overflow"), { service: "parser" });
  const wrapped = await server.send(fixture("wrapped-error"), { service: "orders" });
  const waiting = await server.send(fixture("type-assertion"), { service: "search", binary: false });
  for (const id of [newer, nilMap, leak, labels, overflow, wrapped]) await server.until(id, "done");
  await server.until(waiting, "waiting-for-binary");
  const group = await server.until(older, "done");
  if (group === null) throw new Error("the crash of two map writers is in no group");
  const maps = { older, newer, group };
  project.provide("seeded", { url: server.url, maps, nilMap, leak, labels, overflow, wrapped, waiting });
  return () => server.stop();
}
