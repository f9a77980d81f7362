import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { ModelConfig } from "../../src/checkpoint/model-config.ts";
import { imageId } from "../../src/corpus/rows.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import {
  type imageSchema,
  insightsSchema,
  jobSchema,
  propertiesSchema,
  tokensSchema,
} from "../../src/results/app.ts";
import { explainResultSchema } from "../../src/results/explain.ts";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { segmentResultSchema } from "../../src/results/segment.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";
import { everyKind } from "../support/every-kind.ts";
import { goldenPath } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));
const DOG = fileURLToPath(new URL("../../examples/photos/dog.jpg", import.meta.url));

/** A kind of tower, whose small tokenizer its texts are read with, and what every part of it is called. */
const KINDS: readonly (readonly [kind: string, tokenizer?: string])[] = [
  ["layer-scale"],
  ["mean-norm", "clipa"],
  ["norm-mean"],
  ["gap"],
  ["end-by-id", "metaclip2"],
  ["coca"],
  ["siglip-timm", "siglip"],
  ["siglip-transformers", "siglip"],
  ["eva"],
  ["eva02"],
  ["eva02-post"],
  ["relative"],
  ["perception"],
  ["vitamin"],
  ["mobileclip"],
];

const POOL_TEXTS = [
  { text: "a dog", property: "animal" },
  { text: "two cats", property: "animal" },
  { text: "snow", property: "weather" },
  { text: "the rain", property: "weather" },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kinds-"));
  // Twelve scenes with what is known of them.
  cpSync(join(SCENES, "images"), join(folder, "images"), { recursive: true });
  const rows = readFileSync(join(SCENES, "scenes.jsonl"), "utf8").trim().split("\n").slice(0, 12);
  const listed = rows
    .map((row) => JSON.parse(row))
    .map(({ path, factors }) => JSON.stringify({ path, factors }));
  writeFileSync(join(folder, "list.jsonl"), listed.join("\n"));
  writeFileSync(join(folder, "pool.jsonl"), POOL_TEXTS.map((row) => JSON.stringify(row)).join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a kind's model with its tokenizer. */
function modelOf(kind: string, tokenizer?: string): string {
  const model = join(folder, kind, "model");
  cpSync(goldenPath(`kinds/${kind}`), model, { recursive: true });
  if (tokenizer) cpSync(goldenPath(`tokenizer/${tokenizer}`), model, { recursive: true });
  return model;
}

/** A CLS token, the mean, attention, and what attention adds normalised. */
const QUICK = ["layer-scale", "gap", "siglip-timm", "eva02-post"];

describe.each(
  everyKind(KINDS, ([kind]) => QUICK.includes(kind)).map(([kind, tokenizer]) => ({ kind, tokenizer })),
)("by command, a model of the kind $kind", ({ kind, tokenizer }) => {
  let model: string;
  let index: string;
  let config: ModelConfig;
  /** What is not a head. */
  let others: string[];
  /** Runs a command that must do; what it prints as JSON. */
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runHere("--quiet", "--json", ...args);
    expect(`${code} ${code === 0 ? "" : stderr}`).toBe("0 ");
    return JSON.parse(stdout);
  };

  beforeAll(async () => {
    model = modelOf(kind, tokenizer);
    index = join(folder, kind, "index");
    const loaded = await loadClipModel(model);
    config = loaded.config;
    await loaded.release();
    const { layers, pool } = config.vision;
    const mlps = Array.from({ length: layers }, (_, layer) => `L${layer}.MLP`);
    others = ["embed", ...mlps, ...(pool?.mlpWidth ? ["pool.MLP"] : [])];
    const list = join(folder, "list.jsonl");
    await json("index", list, "--out", index, "--mlps", "--model", model);
  });

  it("has an index that says what its heads are kept as", () => {
    const manifest = JSON.parse(readFileSync(join(index, "manifest.json"), "utf8"));
    const pooled = config.vision.pooling === "attention";
    expect(manifest.pooled ?? false).toBe(pooled);
    // Where what attention adds is normalised, one number more: what it was divided by.
    const more = kind === "eva02-post" ? 1 : 0;
    expect(manifest.headDim).toBe(pooled ? config.embedDim : config.vision.headDim + more);
  });

  it("finds neighbours through heads and through everything else, all of which have names", async () => {
    for (const heads of ["L0.H0", others.join(), "all,mlps"]) {
      const image = join(SCENES, "images/0000-mobile-phone.png");
      const found = await json("neighbors", "--index", index, "--heads", heads, "--image", image, "-k", "2");
      expect(found).toMatchObject({ searched: 11, excluded: 1 });
      if (heads !== "L0.H0")
        expect(found.components.mlps.map(({ component }: { component: string }) => component)).toEqual(
          others,
        );
    }
  });

  it("has its heads' selectivity measured, and their likeness", async () => {
    const measured = await json("selectivity", "--index", index, "--permutations", "2");
    const { layers, heads } = config.vision;
    expect(measured.heads).toHaveLength(layers * heads);
    expect(measured.mlps.map(({ component }: { component: string }) => component)).toEqual(others);
    const alike = await json(
      "similar",
      "--index",
      index,
      "--head",
      "L1.H0",
      "-k",
      "2",
      "--permutations",
      "2",
    );
    expect(alike.heads).toHaveLength(2);
  });

  if (tokenizer)
    it("is described and labelled, and every part of it", async () => {
      const pool = ["--index", index, "--texts", join(folder, "pool.jsonl")];
      const each = ["--heads", ["all", ...others].join(), "--iterations", "2", "--resamples", "2"];
      const described = await json("textspan", ...pool, ...each);
      expect(described.mlps.map(({ component }: { component: string }) => component)).toEqual(others);
      for (const { explainedVariance, control } of [...described.heads, ...described.mlps])
        expect(explainedVariance[0]).toBeLessThanOrEqual(control.ceiling[0] + 1e-9);
      const labelled = await json("label", ...pool, "--heads", "all");
      expect(labelled.heads).toHaveLength(config.vision.layers * config.vision.heads);
    });

  if (tokenizer)
    it("is explained and segmented: what there is no CLS token for is not there", async () => {
      const explained = await json("explain", DOG, "--text", "a dog", "--model", model);
      expect(explained.texts[0].mlps.map(({ component }: { component: string }) => component)).toEqual(
        others,
      );
      const args = ["segment", DOG, "--text", "a dog", "--heads", "all", "--model", model, "--baselines"];
      const { texts, baselines } = await json(...args);
      const { prefix, pooling } = config.vision;
      expect(texts[0].cls === null).toBe(prefix === 0);
      expect(texts[0].patches + (texts[0].cls ?? 0)).toBeCloseTo(texts[0].score, 6);
      expect(baselines[0].paper.includes("CLS")).toBe(pooling === "cls");
      const { stdout } = await runHere("--quiet", ...args.slice(0, -1));
      expect(stdout.includes("CLS token")).toBe(prefix === 1);
    });

  if (tokenizer)
    it("is measured without some of its parts, and the table adds up", async () => {
      const sets = ["L1.H0", others.join()].flatMap((set) => ["--ablate", set]);
      const args = ["evaluate", "zero-shot", "--index", index, "--factor", "style", "--random", "2", ...sets];
      const { rows } = await json(...args);
      const named = rows.flatMap(({ components }: { components: { mlps: { component: string }[] } }) =>
        components.mlps.map(({ component }) => component),
      );
      expect(new Set(named)).toEqual(new Set(others));
    });
});

// One of each way to pool; the third has no tokenizer, so images alone are asked of it.
const SERVED: readonly (readonly [kind: string, tokenizer?: string])[] = [
  ["end-by-id", "metaclip2"],
  ["mean-norm", "clipa"],
  ["norm-mean"],
  ["siglip-transformers", "siglip"],
];
const SERVED_QUICK = ["norm-mean", "siglip-transformers"];

describe.each(
  everyKind(SERVED, ([kind]) => SERVED_QUICK.includes(kind)).map(([kind, tokenizer]) => ({
    kind,
    tokenizer,
  })),
)("in the app, a model of the kind $kind", ({ kind, tokenizer }) => {
  let server: TestServer;
  let model: string;
  const ask = async (route: string, more: object) => {
    const answer = await post(server.url, `/api/${route}`, { model, ...more });
    expect(answer.status).toBe(200);
    return answer.json();
  };
  const get = async (path: string) => (await send(server.url, path)).json();

  beforeAll(async () => {
    server = await startTestServer({ served: [modelOf(kind, tokenizer)] }, 12);
    const { models } = (await send(server.url, "/api/models")).json<{
      models: { name: string; source: string }[];
    }>();
    model = models.find(({ source }) => source === "folder")!.name;
  });
  afterAll(async () => {
    expect(server.faults).toEqual([]);
    await server.close();
  });

  if (tokenizer)
    it("explains, maps and segments", async () => {
      const body = readFileSync(join(SCENES, "images/0067-monkey.png"));
      const headers = { "content-type": "application/octet-stream" };
      const upload = await send(server.url, "/api/images", { method: "POST", headers, body });
      const { image } = upload.json<z.infer<typeof imageSchema>>();
      const explained = explainResultSchema.parse(await ask("explain", { image, texts: ["a dog"] }));
      expect(explained.texts[0].error).toBeLessThan(1e-5);
      const tokens = tokensSchema.parse(await ask("tokens", { image, text: "a dog" }));
      const values = new Float32Array(new Uint8Array(Buffer.from(tokens.values, "base64")).buffer);
      const heads = explained.texts[0].heads.map(({ value }) => value);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
        heads.reduce((sum, value) => sum + value, 0),
        5,
      );
      const found = segmentResultSchema.parse(
        await ask("segment", { image, texts: ["a dog"], heads: "all", mode: "topic" }),
      );
      const n = values.length / heads.length;
      const first = n - found.grid.rows * found.grid.columns;
      const patch = heads.reduce((sum, _, head) => sum + values[head * n + first], 0);
      expect(patch).toBeCloseTo(found.texts[0].values[0][0], 5);
    });

  it("is got ready for a corpus, finds neighbours there, and says what its heads follow", async () => {
    const where = `model=${model}&corpus=scenes`;
    expect(codeOf(await send(server.url, `/api/insights?${where}`))).toBe("CORPUS_NOT_READY");
    const { id } = jobSchema.parse(await ask("jobs", { kind: "prepare", corpus: "scenes" }));
    const state = async () => jobSchema.parse(await get(`/api/jobs/${id}`)).state;
    while (["queued", "running"].includes(await state())) await new Promise((go) => setTimeout(go, 50));
    expect(await state()).toBe("done");

    const image = `scenes:${imageId("images/0067-monkey.png")}`;
    const near = async (heads: string, query: object) =>
      neighborsResultSchema.parse(
        await ask("neighbors", { corpus: "scenes", heads, k: 3, scoring: "cosine", query }),
      );
    for (const heads of ["L1.H0", "all"]) {
      const { neighbors, excluded } = await near(heads, { image });
      expect([neighbors.length, excluded]).toEqual([3, 1]);
      for (const { score } of neighbors) expect(Math.abs(score)).toBeLessThanOrEqual(1 + 1e-6);
    }
    if (tokenizer) expect((await near("all", { text: "a dog" })).neighbors).toHaveLength(3);

    const insights = insightsSchema.parse(await get(`/api/insights?${where}`));
    const { layers, heads } = (await get(`/api/model?name=${model}`)) as { layers: number; heads: number };
    expect(insights.selectivity.heads).toHaveLength(layers * heads);
    for (const { factors } of insights.selectivity.heads)
      for (const { explained } of factors) {
        expect(explained).toBeGreaterThanOrEqual(0);
        expect(explained).toBeLessThanOrEqual(1 + 1e-9);
      }
    expect(insights.retrieval.rows[0].chosenFor).toBe("embedding");
    const { properties } = propertiesSchema.parse(await get(`/api/properties?${where}`));
    for (const { heads: own } of properties) expect(own.length).toBeGreaterThan(0);
  });
});
