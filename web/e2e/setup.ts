// One server with a few real crashes, for all tests that only look.
import type { TestProject } from "vitest/node";
import type { GoMap, MapPage } from "../src/api/types";
import { ago, alert, webhook } from "./alerts";
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
  /** Of a map that was written while it was iterated, in a Go whose maps have buckets. */
  buckets: string;
  /** The maps in question. */
  written: { swiss: GoMap; hmap: GoMap };
  nilMap: string;
  leak: string;
  labels: string;
  overflow: string;
  wrapped: string;
  waiting: string;
  incidents: { open: string; resolved: string };
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
  const buckets = await server.send(fixture("concurrent-map-iteration-write", "1.23"), {
    service: "metrics",
  });
  const nilMap = await server.send(fixture("nil-map-write"), { service: "checkout" });
  const leak = await server.send(fixture("goroutine-leak"), { service: "gateway" });
  const labels = await server.send(fixture("labels"), { service: "scheduler" });
  const overflow = await server.send(fixture("stack-overflow"), { service: "parser" });
  const wrapped = await server.send(fixture("wrapped-error"), { service: "orders" });
  const waiting = await server.send(fixture("type-assertion"), { service: "search", binary: false });
  for (const id of [newer, buckets, nilMap, leak, labels, overflow, wrapped]) await server.until(id, "done");
  await server.until(waiting, "waiting-for-binary");
  const group = await server.until(older, "done");
  if (group === null) throw new Error("the crash of two map writers is in no group");
  const incidents = {
    open: await server.tell(
      webhook({ alertname: "BillingDown" }, [
        alert("01", ago(2), { alertname: "BillingDown", severity: "page", service: "billing" }),
        alert("02", ago(1), { alertname: "BillingDown", severity: "page", instance: "billing-2:9090" }),
      ]),
    ),
    resolved: await server.tell(
      webhook({ alertname: "SlowOrders" }, [
        alert("03", ago(90), { alertname: "SlowOrders", service: "orders" }, { endsAt: ago(60) }),
      ]),
    ),
  };
  const maps = { older, newer, group };
  const written = { swiss: await mapInQuestion(server, newer), hmap: await mapInQuestion(server, buckets) };
  project.provide("seeded", {
    url: server.url,
    maps,
    buckets,
    written,
    nilMap,
    leak,
    labels,
    overflow,
    wrapped,
    waiting,
    incidents,
  });
  return () => server.stop();
}

/** The map that somebody noticed a conflict on. */
async function mapInQuestion(server: Server, crash: string): Promise<GoMap> {
  const { items } = await server.json<MapPage>(`/crashes/${crash}/maps?limit=500`);
  const map = items.find((one) => one.users.some((user) => user.noticed));
  if (!map) throw new Error(`crash ${crash} has no map that somebody noticed a conflict on`);
  return map;
}
