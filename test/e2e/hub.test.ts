import { describe, expect, it } from "vitest";
import { partialPath } from "../../src/hub/download.ts";
import { modelsResultSchema, pullResultSchema } from "../../src/results/models.ts";
import { goldenPath } from "../support/goldens.ts";
import { sendFile } from "../support/hub-server.ts";
import {
  FILES,
  forWeights,
  HUB_ID,
  NAME,
  SIZE,
  sizeNow,
  until,
  WEIGHTS,
  world,
} from "../support/hub-world.ts";
import { shellWords } from "../support/shell-words.ts";
import { expectError, runCli, runOk, startCli, testFolder } from "./cli.ts";

/** The variables under which the tool sees the test's hub and nothing of this machine's. */
const isolated = (env: Record<string, string>) => ({
  ...env,
  HF_HUB_CACHE: undefined,
  HUGGINGFACE_HUB_CACHE: undefined,
  HF_TOKEN: undefined,
  HF_HUB_OFFLINE: undefined,
  TRANSFORMERS_OFFLINE: undefined,
});
const models = async (env: Record<string, string | undefined>) =>
  modelsResultSchema.parse(JSON.parse(await runOk(["models", "--json"], { env }))).models;

describe("models and pull", () => {
  it("list, fetch, list again, and use what was fetched", async () => {
    const { env: own, snapshot } = await world();
    const env = isolated(own);
    const before = (await models(env)).find(({ name }) => name === NAME);
    expect(before).toMatchObject({
      hubId: HUB_ID,
      present: false,
      folder: null,
      megabytes: 605,
      approximate: true,
    });

    const decompose = [
      "decompose",
      "--pixels",
      goldenPath("quickgelu-p14/pixels.npy"),
      "--model",
      NAME,
      "--threads",
      "1",
    ];
    const out = await testFolder();
    const missing = await runCli([...decompose, "--out", out], { env });
    expectError(missing, "MODEL_NOT_FOUND");
    expect(missing.stderr).toContain(`clip-interpret pull ${NAME}\` fetches it (about 605 MB)`);

    const text = await runOk(["pull", NAME], { env });
    expect(text).toContain(`${NAME} is in ${snapshot} (`);
    // What it suggests runs as it is printed; the stand-in reads no texts, an embedded model does.
    const suggested = text.split("Next:\n")[1].trimEnd().split("\n");
    expect(suggested).toHaveLength(2);
    for (const line of suggested) {
      const args = shellWords(line).slice(1);
      await runOk(args[0] === "explain" ? [...args.slice(0, -1), "emoji-4x128-p8"] : args, { env });
    }
    const again = pullResultSchema.parse(JSON.parse(await runOk(["pull", HUB_ID, "--json"], { env })));
    expect(again).toMatchObject({ model: NAME, folder: snapshot, receivedBytes: 0 });

    const after = (await models(env)).find(({ name }) => name === NAME);
    expect(after).toMatchObject({
      present: true,
      folder: snapshot,
      megabytes: SIZE / 1e6,
      approximate: false,
    });
    const table = await runOk(["models"], { env });
    expect(table).toMatch(new RegExp(`^yes +${NAME} \\*`, "m"));
    expect(table).toContain(`  ${NAME}  ${snapshot}\n`);
    await runOk([...decompose, "--out", out], { env, timeout: 60_000 });
  });

  it("pull stops at Ctrl-C with 130 and goes on from there", async () => {
    const { env: own, hub, weights } = await world();
    const env = isolated(own);
    hub.interfere = forWeights((seen, response) => {
      sendFile(seen, response, FILES[WEIGHTS], undefined, 500_000);
      return true;
    }, 1);
    const { child, result } = startCli(["pull", NAME], { env });
    await until(() => sizeNow(partialPath(weights)) === 500_000);
    child.kill("SIGINT");
    const { code, stderr } = await result;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringMatching(/^error CANCELLED: .*go on/),
    });
    await runOk(["pull", NAME], { env });
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("two processes that pull the same model fetch it once", async () => {
    const { env: own, hub } = await world();
    const env = isolated(own);
    const ended = await Promise.all([1, 2].map(() => runCli(["pull", NAME], { env, apart: true })));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    // The one that came second may have had to wait, and said for whom.
    for (const { stderr } of ended)
      expect(stderr).toMatch(/^(waiting: another process \(process \d+ on [^\n]+\n)?$/);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("goes on after a process that was killed", async () => {
    const { env: own, hub } = await world();
    const env = isolated(own);
    hub.interfere = forWeights(() => true, 1);
    const { child, result } = startCli(["pull", NAME], { env });
    await until(() => hub.seen.some(({ host }) => host === "files"));
    child.kill("SIGKILL");
    await result;
    await runOk(["pull", NAME], { env, timeout: 10_000 });
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("an embedded model needs no pull, and says so", async () => {
    const { env, hub } = await world();
    expect(await runOk(["pull", "emoji-4x128-p8"], { env: isolated(env) })).toContain("was here already");
    expect(hub.seen).toEqual([]);
  });

  it("errors are one line, with a code", async () => {
    const { env: own, hub } = await world();
    const env = isolated(own);
    expectError(await runCli(["pull", "someone/nothing"], { env }), "HUB_NOT_FOUND");
    expectError(await runCli(["pull", "nothing"], { env }), "MODEL_NOT_FOUND");
    expectError(await runCli(["pull", NAME], { env: { ...env, HF_HUB_OFFLINE: "1" } }), "HUB_OFFLINE");
    hub.interfere = forWeights((seen, response) => {
      sendFile(seen, response, Buffer.alloc(SIZE));
      return true;
    });
    expectError(await runCli(["pull", NAME], { env }), "DOWNLOAD_CORRUPT");
  });
});
