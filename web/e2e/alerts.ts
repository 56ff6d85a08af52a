// Webhooks as Alertmanager sends them, version 4 (its documentation, "webhook_config").

type Texts = Record<string, string>;

export interface Alert {
  status: "firing" | "resolved";
  labels: Texts;
  annotations: Texts;
  startsAt: string;
  endsAt: string;
  generatorURL: string;
  fingerprint: string;
}

export type Webhook = ReturnType<typeof webhook>;

/** So many minutes ago. */
export function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

/** One that fires, unless it has an end. */
export function alert(
  fingerprint: string,
  startsAt: string,
  labels: Texts,
  { annotations = {}, endsAt }: { annotations?: Texts; endsAt?: string } = {},
): Alert {
  return {
    status: endsAt === undefined ? "firing" : "resolved",
    labels,
    annotations,
    startsAt,
    endsAt: endsAt ?? "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    fingerprint: fingerprint.padStart(16, "0"),
  };
}

/** What all of them have is common, as with Alertmanager. */
function common(all: readonly Texts[]): Texts {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  );
}

export function webhook(groupLabels: Texts, alerts: readonly Alert[]) {
  const labels = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return {
    version: "4",
    groupKey: `{}:{${labels.join(", ")}}`,
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === "firing") ? "firing" : "resolved",
    receiver: "panicle",
    groupLabels,
    commonLabels: common(alerts.map((one) => one.labels)),
    commonAnnotations: common(alerts.map((one) => one.annotations)),
    externalURL: "http://alertmanager.example:9093",
    alerts,
  };
}
