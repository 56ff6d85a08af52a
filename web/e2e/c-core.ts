// A core of a program that is not Go's.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * Has the kernel dump a sleeping `sleep` into a folder. Where the host pipes its cores elsewhere, `gcore`
 * takes one.
 */
export async function dumpOfSleep(folder: string): Promise<string> {
  const run = promisify(execFile);
  const script = `ulimit -c unlimited
sleep 60 & pid=$!
command -v gcore >/dev/null && gcore -o gcore $pid >/dev/null 2>&1
kill -ABRT $pid
wait $pid || true`;
  await run("bash", ["-c", script], { cwd: folder });
  const name = readdirSync(folder).find((file) => /^g?core(\.\d+)?$/.test(file));
  const path = join(folder, name ?? "core");
  if (!existsSync(path)) {
    throw new Error(
      "the kernel left no core in the working directory; set kernel.core_pattern to `core`, or install gdb, which has gcore",
    );
  }
  return path;
}
