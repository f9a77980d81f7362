import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "undici";
import { pageMissing } from "./browser.ts";

const PLACES = ["/usr/bin/firefox", "/usr/bin/firefox-esr"];

/** Where a Firefox is; `FIREFOX` names another. */
const FIREFOX = [process.env.FIREFOX ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));

/** Why the page cannot be tried in Firefox here. */
export const firefoxMissing: string | undefined =
  FIREFOX === undefined
    ? "no Firefox on this machine: `apt-get install -y firefox-esr` (or set FIREFOX to one)"
    : pageMissing;

/** A window of Firefox. */
export interface Window {
  open(address: string): Promise<void>;
  /** The value of an expression in the page, once it is there: a promise is waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** What the page complained of. */
  readonly complaints: string[];
}

/** A Firefox of its own, spoken to by WebDriver BiDi: Playwright knows none but its own build. */
export async function launchFirefox(): Promise<{ open(): Promise<Window>; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), "firefox-"));
  const how = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const firefox = spawn(FIREFOX!, how, { stdio: ["ignore", "ignore", "pipe"] });
  const socket = new WebSocket(`${await listening(firefox)}/session`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  const windows = new Map<string, string[]>();
  socket.addEventListener("message", ({ data }) => {
    const said = JSON.parse(String(data));
    if (said.type === "event") {
      const { source, level, text } = said.params;
      if (level === "error") windows.get(source.context)?.push(text);
      return;
    }
    const one = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.type === "success") one?.resolve(said.result as never);
    else one?.reject(new Error(`${said.error}: ${said.message}`));
  });
  let lastId = 0;
  const ask = <T>(method: string, params: object): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject });
      socket.send(JSON.stringify({ id: lastId, method, params }));
    });
  await ask("session.new", { capabilities: {} });
  await ask("session.subscribe", { events: ["log.entryAdded"] });
  return {
    async open() {
      const { context } = await ask<{ context: string }>("browsingContext.create", { type: "tab" });
      const complaints: string[] = [];
      windows.set(context, complaints);
      return {
        complaints,
        async open(url) {
          await ask("browsingContext.navigate", { context, url, wait: "complete" });
        },
        async evaluate(expression) {
          const asked = { expression, target: { context }, awaitPromise: true };
          const { result, exceptionDetails } = await ask<{
            result?: { readonly value?: unknown };
            exceptionDetails?: { readonly text: string };
          }>("script.evaluate", asked);
          if (exceptionDetails) throw new Error(exceptionDetails.text);
          return result?.value;
        },
      };
    },
    async close() {
      const ended = new Promise((resolve) => firefox.once("exit", resolve));
      await ask("browser.close", {}).catch(() => firefox.kill());
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Where it listens: it says so by itself. */
function listening({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    stderr!.on("data", (chunk) => {
      said += chunk;
      const [, address] = /BiDi listening on (ws:\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    stderr!.on("end", () => reject(new Error(`Firefox ended: ${said}`)));
  });
}
