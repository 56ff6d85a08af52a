// The real server, on a directory and a port of its own.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { Webhook } from "./alerts";
import type { Fixture } from "./fixtures";

const BINARY = resolve(process.env.PANICLE_BIN ?? "../target/release/panicle");

export class Server {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly data: string,
  ) {}

  static async start(...options: string[]): Promise<Server> {
    if (!existsSync(BINARY))
      throw new Error(`${BINARY} is not there; set PANICLE_BIN to the program to test`);
    const data = mkdtempSync(join(tmpdir(), "panicle-e2e-"));
    const workers = options.includes("--workers") ? [] : ["--workers", "2"];
    const child = spawn(
      BINARY,
      ["serve", "--data", data, "--listen", "127.0.0.1:0", ...workers, ...options],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    const url = await new Promise<string>((found, failed) => {
      const read = (chunk: Buffer) => {
        output += chunk.toString();
        const match = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
        if (match) found(match[0]);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", (code) =>
        failed(new Error(`the server ended with ${code ?? "a signal"}: ${output}`)),
      );
      child.once("error", failed);
    });
    return new Server(url, child, data);
  }

  /** Makes a token, from which on nobody gets in without one. */
  token(scopes: string): string {
    const made = ["admin", "token", "create", "--name", "me", "--scopes", scopes, "--data", this.data];
    return execFileSync(BINARY, made, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  }

  /** Ends it, and forgets what it stored. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Ends it at once, as a machine that fails would. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill(signal);
    await ended;
  }

  async json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async put(kind: string, file: string): Promise<string> {
    const { id } = await this.json<{ id: string }>(`/blobs/${kind}?name=${basename(file)}`, {
      method: "PUT",
      body: createReadStream(file) as unknown as ReadableStream,
      headers: { "Content-Length": String(statSync(file).size) },
      duplex: "half",
    } as RequestInit);
    return id;
  }

  /** Sends a core alone. */
  async sendCore(file: string, binaries: string[] = []): Promise<string> {
    const core = await this.put("core", file);
    const { id } = await this.json<{ id: string }>("/crashes", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ core, binaries }),
    });
    return id;
  }

  /** Sends a crash and answers its id. */
  async send(
    crash: Fixture,
    more: { binary?: boolean; service?: string; hostname?: string } = {},
  ): Promise<string> {
    const { binary = true, ...known } = more;
    const binaries = binary ? [await this.put("binary", crash.binary)] : [];
    const core = await this.put("core", crash.core);
    const { id } = await this.json<{ id: string }>("/crashes", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ core, binaries, ...known }),
    });
    return id;
  }

  /** Tells of alerts as Alertmanager does, and answers the id of their incident. */
  async tell(webhook: Webhook): Promise<string> {
    const { incident } = await this.json<{ incident: { id: string } }>("/hooks/alertmanager", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(webhook),
    });
    return incident.id;
  }

  /** Waits until a crash has a status, and answers the id of its group. */
  async until(id: string, status: string): Promise<string | null> {
    for (let tries = 0; tries < 600; tries += 1) {
      const crash = await this.json<{ status: string; group_id: string | null }>(`/crashes/${id}`);
      if (crash.status === status) return crash.group_id;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`crash ${id} did not become ${status}`);
  }
}
