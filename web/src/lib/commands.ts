// Finding the command in a line such as `go vet ./...: finds this`.

const PROGRAM = /^(?:go|curl|gdb|dlv|panicle|ulimit|sysctl|kill|kubectl|docker) \S/;

/** The command that a line begins with, and what is said about it. */
export function splitCommand(line: string): { command: string | null; rest: string } {
  if (!PROGRAM.test(line)) return { command: null, rest: line };
  const colon = line.search(/[:,] (?=[a-z])/);
  const head = colon < 0 ? line : line.slice(0, colon);
  const bracket = head.search(/ \((?!\))/);
  const end = bracket < 0 ? head.length : bracket;
  const command = head.slice(0, end).trim();
  const rest = line
    .slice(end)
    .replace(/^[\s:,]+/, "")
    .trim();
  return { command, rest };
}
