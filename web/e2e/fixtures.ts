// The recorded crashes: real Go programs, run and dumped by `cargo xtask fixtures`.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Fixture {
  program: string;
  go_version: string;
  arch: string;
  variant: string;
  core: string;
  binary: string;
  stderr: string;
}

function indexPath(): string {
  const cache =
    process.env.PANICLE_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "panicle");
  return process.env.PANICLE_FIXTURES ?? join(cache, "fixtures", "index-3.json");
}

let index: Fixture[] | undefined;

/** One crash of a program, by default of the newest Go that it was recorded with. */
export function fixture(program: string, goVersion?: string): Fixture {
  index ??= (JSON.parse(readFileSync(indexPath(), "utf8")) as { fixtures: Fixture[] }).fixtures;
  const found = index
    .filter((one) => one.program === program && one.arch === "amd64" && one.variant === "default")
    .filter((one) => goVersion === undefined || one.go_version.startsWith(`${goVersion}.`))
    .sort((a, b) => b.go_version.localeCompare(a.go_version, "en", { numeric: true }));
  const [newest] = found;
  if (!newest) {
    throw new Error(
      `${indexPath()} has no crash of ${program} ${goVersion ?? ""}; run: cargo xtask fixtures`,
    );
  }
  return newest;
}
