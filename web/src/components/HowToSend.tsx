import { Command } from "./Copy";

/** The same from a terminal, ready to be pasted. */
export function HowToSend() {
  const server = window.location.origin;
  const curl = [
    `core=$(curl -sT ./core ${server}/api/v1/blobs/core | jq -r .id)`,
    `app=$(curl -sT ./app ${server}/api/v1/blobs/binary | jq -r .id)`,
    `curl -s ${server}/api/v1/crashes --json '{"core":"'$core'","binaries":["'$app'"]}'`,
  ].join("\n");
  return (
    <div className="how-to-send">
      <p>With Panicle's own command:</p>
      <Command
        text={`panicle upload core ./core --binary ./app --server ${server}`}
        what="the upload command"
      />
      <p>With curl and jq:</p>
      <Command text={curl} what="the curl commands" />
      <p className="muted small">
        No core? <code>GOTRACEBACK=crash</code> in the service's environment and{" "}
        <code>ulimit -c unlimited</code> make the next crash leave one. What the program printed can be sent
        alone: <code>panicle upload text ./stderr.log</code>.
      </p>
    </div>
  );
}
