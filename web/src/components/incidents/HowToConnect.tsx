import { Command } from "../Copy";

/** How Alertmanager comes to tell of incidents, ready to be pasted. */
export function HowToConnect() {
  const receiver = [
    "receivers:",
    "  - name: panicle",
    "    webhook_configs:",
    `      - url: ${window.location.origin}/api/v1/hooks/alertmanager`,
    "        send_resolved: true",
    "        http_config: { authorization: { credentials: pnc_… } }",
  ].join("\n");
  return (
    <div className="how-to-send">
      <p>Make a token that may send, where one is needed:</p>
      <Command
        text="panicle admin token create --name alertmanager --scopes ingest"
        what="the command that makes a token"
      />
      <p>
        Add a receiver to <code>alertmanager.yml</code>, with the token in place of <code>pnc_…</code>, and
        name it in a route:
      </p>
      <Command text={receiver} what="the receiver of Alertmanager" />
      <p className="muted small">
        A crash is linked when a label of an alert, such as <code>service</code>, <code>job</code> or{" "}
        <code>pod</code>, names its service or its host, and it happened from ten minutes before the first
        alert to two minutes after the last. <code>docs/hooks.md</code> has the details.
      </p>
    </div>
  );
}
