/** A server under load for minutes: 64 clients with new pictures and texts. `SECONDS=60` makes it shorter. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { post, send } from "../support/app-server.ts";

const SECONDS = Number(process.env.SECONDS ?? 240);
const CLIENTS = 64;
const model = DEFAULT_MODEL;

/** A server of the built program in a process of its own, with bounds that are reached within the time. */
const SERVER = `
import { startServer } from ${JSON.stringify(repositoryPath("dist/server/serve.js"))};
import { startEngine } from ${JSON.stringify(repositoryPath("dist/server/threads/engine.js"))};
const models = startEngine();
const limits = { lookBytes: 32e6, textBytes: 1e6, keptImages: 200 };
const onFault = (error) => console.error("fault", error);
const server = await startServer({ models, served: ["${model}"], cache: process.argv[1], limits, onFault });
console.log(server.url);
process.on("SIGTERM", async () => {
  console.log("cut", JSON.stringify(await server.close()));
  await models.release();
});
`;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

it("answers 64 clients without a failure, and its memory stays what it is", async () => {
  const cache = await mkdtemp(join(tmpdir(), "clip-interpret-load-"));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["--input-type=module", "-e", SERVER, cache], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let [said, faults] = ["", ""];
  child.stdout.on("data", (data) => {
    said += data;
  });
  child.stderr.on("data", (data) => {
    faults += data;
  });
  while (!said.includes("\n")) await new Promise((go) => setTimeout(go, 50));
  const url = said.trim().replace(/\/$/, "");
  const { id } = (await post(url, "/api/jobs", { kind: "prepare", corpus: "scenes", model })).json<{
    id: string;
  }>();
  while (["queued", "running"].includes((await send(url, `/api/jobs/${id}`)).json<{ state: string }>().state))
    await new Promise((go) => setTimeout(go, 100));

  const scenes = await Promise.all(
    (await readdir(repositoryPath("examples/scenes/images"))).map((name) =>
      readFile(repositoryPath(`examples/scenes/images/${name}`)),
    ),
  );
  const until = performance.now() + SECONDS * 1000;
  const statuses: Record<number, number> = {};
  const count = <T extends { status: number }>(answer: T): T => {
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    return answer;
  };
  const visit = async (client: number) => {
    const headers = { "x-client": `client ${client}` };
    for (let turn = 0; performance.now() < until; turn++) {
      const number = turn * CLIENTS + client;
      const body = await sharp(scenes[number % scenes.length])
        .modulate({ hue: number % 360, brightness: 0.8 + (number % 997) / 2500 })
        .png({ compressionLevel: 1 })
        .toBuffer();
      const kept = count(
        await send(url, "/api/images", {
          ...{ method: "POST", body },
          headers: { "content-type": "application/octet-stream", ...headers },
        }),
      );
      const { image } = kept.json<{ image: string }>();
      const text = `${number} of them`;
      const ask = async (path: string, more: object) =>
        count(await post(url, path, { model, ...more }, headers));
      await ask("/api/explain", { image, texts: [text, "a monkey"] });
      await ask("/api/tokens", { image, text });
      const heads = `L${number % 4}`;
      await ask("/api/segment", { image, texts: [text, "a car"], heads, mode: "contrast" });
      await ask("/api/neighbors", { corpus: "scenes", query: { image }, heads, k: 8 });
      count(await send(url, `/api/images/${encodeURIComponent(image)}/picture`, { headers }));
    }
  };
  const memory: number[] = [];
  const sampling = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
    if (kilobytes) memory.push(Number(kilobytes) / 1e3);
  }, 1000);
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => visit(client)));
  clearInterval(sampling);
  child.kill("SIGTERM");
  expect(await exit).toBe(0);
  const quarter = (of: number) =>
    memory.slice(Math.floor((of * memory.length) / 4), Math.floor(((of + 1) * memory.length) / 4));
  const megabytes = [0, 1, 2, 3].map((of) => mean(quarter(of)).toFixed(0)).join(", ");
  console.log(`${CLIENTS} clients, ${SECONDS} s: ${JSON.stringify(statuses)}; MB by quarter: ${megabytes}`);
  expect(faults).toBe("");
  expect(Object.keys(statuses)).toEqual(["200"]);
  expect(said).toContain('cut {"requests":0,"jobs":0}');
  if (memory.length > 0) expect(mean(quarter(3))).toBeLessThan(1.1 * mean(quarter(2)) + 20);
});
