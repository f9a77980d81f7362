import {
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeModel } from "../../src/hub/describe.ts";
import { chooseFiles } from "../../src/hub/model-files.ts";
import { listModels } from "../../src/model/catalogue.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray } from "../support/goldens.ts";
import { entry } from "../support/hub-server.ts";
import {
  BLOB,
  COMMIT,
  CONFIG,
  FILES,
  failure,
  golden,
  HUB_ID,
  NAME,
  SERVED,
  SERVED_TOKENIZER,
  SIZE,
  TOKENIZER,
  TOKENIZER_HOME,
  WEIGHTS,
  world,
} from "../support/hub-world.ts";

/** A CLIP as sentence-transformers saves it. */
const WRAPPED = "0_CLIPModel";
const CLIP_MODULE =
  '{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}';
const MODULES = Buffer.from(
  `[${CLIP_MODULE}, {"type": "sentence_transformers.models.Normalize", "path": "1_Normalize"}]`,
);
const CLIP = {
  "config.json": golden("gelu-p8/transformers/config.json"),
  "model.safetensors": golden("gelu-p8/transformers/model.safetensors"),
  "preprocessor_config.json": Buffer.from("{}"),
  "tokenizer.json": TOKENIZER,
  "tokenizer_config.json": Buffer.from("{}"),
};

describe("pull", () => {
  it("puts a model where the Python tools look for it, and the model decomposes the golden images", async () => {
    const { puller, env, repository, snapshot, hub } = await world();
    const events: ProgressEvent[] = [];
    const pulled = await puller.pull(NAME, { report: (event) => events.push(event) });
    expect(pulled).toMatchObject({ name: NAME, hubId: HUB_ID, commit: COMMIT, folder: snapshot });
    expect(pulled.files.map(({ name }) => name)).toEqual([CONFIG, WEIGHTS, "tokenizer.json"]);
    expect(pulled.receivedBytes).toBe(SIZE + FILES[CONFIG].length + TOKENIZER.length);
    expect(hub.sent()).toBe(pulled.receivedBytes);

    expect(await readFile(join(repository, "refs", "main"), "utf8")).toBe(COMMIT);
    expect(await readlink(join(snapshot, WEIGHTS))).toBe(`../../blobs/${BLOB}`);
    expect((await readFile(join(snapshot, "tokenizer.json"))).equals(TOKENIZER)).toBe(true);
    expect((await readdir(join(repository, "blobs"))).sort()).toEqual(
      [BLOB, entry(SERVED, CONFIG).oid, entry(SERVED_TOKENIZER, "tokenizer.json").oid].sort(),
    );
    expect(events).toContainEqual({ type: "start", task: `fetching ${WEIGHTS}`, unit: "byte", total: SIZE });
    expect(events).toContainEqual({ type: "end", task: `fetching ${WEIGHTS}`, done: SIZE });

    const located = await locateModel(NAME, env);
    expect(located).toEqual({ name: NAME, folder: snapshot, embedded: false });
    const model = await loadClipModel(located.folder, located.name, { threads: 1 });
    const pixels = await goldenArray("quickgelu-p14/pixels.npy", 4);
    const { embedding } = await model.decompose(pixels.data);
    await model.release();
    const expected = await goldenArray("quickgelu-p14/image_embedding.npy", 2);
    expect(relativeError(embedding, expected.data)).toBeLessThan(1e-5);
  });

  it("fetches nothing that is there already, and finds a model by hub id, in any case, and by its folder", async () => {
    const { puller, env, hub, snapshot } = await world();
    await puller.pull(HUB_ID);
    const before = hub.sent();
    expect((await puller.pull("vit-b-32:OpenAI")).receivedBytes).toBe(0);
    expect(hub.sent()).toBe(before);
    // The openai tag, by which QuickGELU is known, must not get lost in a folder that is named after a commit.
    for (const asked of [HUB_ID.toUpperCase(), `hf-hub:${HUB_ID}`, snapshot, `${snapshot}/`]) {
      expect(await locateModel(asked, env)).toEqual({ name: NAME, folder: snapshot, embedded: false });
    }
  });

  it("fetches a lost file again, and that one only", async () => {
    const { puller, hub, snapshot } = await world();
    await puller.pull(NAME);
    const before = hub.sent();
    await rm(join(snapshot, "..", "..", "blobs", entry(SERVED, CONFIG).oid));
    expect((await puller.pull(NAME)).receivedBytes).toBe(FILES[CONFIG].length);
    expect(hub.sent() - before).toBe(FILES[CONFIG].length);
  });

  it("takes a transformers model, in parts, and its own tokenizer", async () => {
    const weights = golden("gelu-p8/transformers/model.safetensors");
    const index = {
      weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" },
    };
    const id = "someone/clip";
    const { puller, env } = await world({
      [id]: {
        commit: COMMIT,
        large: ["model-1.safetensors"],
        files: {
          "config.json": golden("gelu-p8/transformers/config.json"),
          "preprocessor_config.json": Buffer.from("{}"),
          "processor_config.json": Buffer.from('{"image_processor": {"resample": 2}}'),
          "model.safetensors.index.json": Buffer.from(JSON.stringify(index)),
          "model-1.safetensors": weights,
          "model-2.safetensors": Buffer.from("2"),
          "tokenizer.json": Buffer.from("own"),
          "pytorch_model.bin": weights,
        },
      },
    });
    const { folder, files } = await puller.pull(id);
    expect(files.map(({ name }) => name)).toEqual(
      ["config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"].concat(
        ...["preprocessor_config.json", "processor_config.json", "tokenizer.json"],
      ),
    );
    expect(await readFile(join(folder, "tokenizer.json"), "utf8")).toBe("own");
    expect(await locateModel(id, env)).toMatchObject({ name: id, folder });
    const chosen = chooseFiles(new Set(files.map(({ name }) => name)))!;
    const { config } = await describeModel(folder, chosen, id);
    expect(config.preprocess.interpolation).toBe("bilinear");
    const listed = (await listModels(env)).find(({ hubId }) => hubId === id);
    expect(listed).toMatchObject({
      present: true,
      layers: 5,
      heads: 4,
      patch: 8,
      megabytes: (weights.length + 1) / 1e6,
    });
    await rm(join(folder, "model-2.safetensors"));
    await expect(locateModel(id, env)).rejects.toMatchObject(failure("MODEL_NOT_FOUND"));
  });

  it("takes a SigLIP of transformers with what its tokenizer is filled up with, and finds it again", async () => {
    const id = "someone/siglip";
    const { puller, env } = await world({
      [id]: {
        commit: COMMIT,
        large: ["model.safetensors"],
        files: {
          "config.json": golden("kinds/siglip-transformers/config.json"),
          "model.safetensors": golden("kinds/siglip-transformers/model.safetensors"),
          "tokenizer.json": golden("tokenizer/siglip/tokenizer.json"),
          "tokenizer_config.json": golden("tokenizer/siglip/tokenizer_config.json"),
        },
      },
    });
    const { folder, files } = await puller.pull(id);
    expect(files.map(({ name }) => name)).toContain("tokenizer_config.json");
    expect(await locateModel(id, env)).toMatchObject({ name: id, folder });
    const model = await loadClipModel(folder);
    expect(await model.tokenizeTexts(["a dog"])).toEqual([expect.arrayContaining([1])]);
    await model.release();
  });

  it("takes the CLIP out of what sentence-transformers saved, and finds it by every name and folder", async () => {
    const id = "sentence-transformers/clip-ViT-B-32";
    const { puller, env, hub, home } = await world({
      [id]: {
        commit: COMMIT,
        large: [`${WRAPPED}/model.safetensors`, `${WRAPPED}/pytorch_model.bin`],
        files: {
          "README.md": TOKENIZER,
          "config_sentence_transformers.json": Buffer.from("{}"),
          "modules.json": MODULES,
          ...Object.fromEntries(
            Object.entries(CLIP).map(([name, content]) => [`${WRAPPED}/${name}`, content]),
          ),
          [`${WRAPPED}/pytorch_model.bin`]: TOKENIZER,
          [`${WRAPPED}/special_tokens_map.json`]: Buffer.from("{}"),
        },
      },
    });
    const { folder, files, name, receivedBytes } = await puller.pull("clip-ViT-B-32");
    const repository = join(home, "hub", "models--sentence-transformers--clip-ViT-B-32");
    const snapshot = join(repository, "snapshots", COMMIT);
    expect([name, folder]).toEqual([id, join(snapshot, WRAPPED)]);
    expect(files.map((file) => file.name)).toEqual(Object.keys(CLIP).sort());
    expect((await readdir(snapshot)).sort()).toEqual([WRAPPED, "modules.json"]);
    expect(hub.sent()).toBe(receivedBytes);
    expect((await puller.pull(id)).receivedBytes).toBe(0);
    expect(await readFile(join(repository, "refs", "main"), "utf8")).toBe(COMMIT);
    // As the Python tools link it.
    expect(await readlink(join(folder, "config.json"))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    for (const asked of [id, id.toUpperCase(), "clip-vit-b-32", snapshot, folder, `${folder}/`])
      expect(await locateModel(asked, env)).toMatchObject({
        name: id,
        folder,
      });
    const listed = (await listModels(env)).find(({ hubId }) => hubId === id);
    expect(listed).toMatchObject({ present: true, folder, layers: 5, texts: true });
    const model = await loadClipModel(folder, id, { threads: 1 });
    const pixels = await goldenArray("gelu-p8/pixels.npy", 4);
    const { embedding } = await model.decompose(pixels.data);
    await model.release();
    expect(relativeError(embedding, (await goldenArray("gelu-p8/image_embedding.npy", 2)).data)).toBeLessThan(
      1e-5,
    );
  });

  it.each([
    [
      "goes through another module",
      `[${CLIP_MODULE}, {"type": "sentence_transformers.models.Dense", "path": "1_Dense"}]`,
      "MODEL_UNSUPPORTED",
      /Dense/,
    ],
    [
      "lies outside its repository",
      '[{"type": "models.CLIPModel", "path": "../0_CLIPModel"}]',
      "CONFIG_INVALID",
      /no folder/,
    ],
    ["is not there", "[]", "MODEL_UNSUPPORTED", /no weights/],
    ["is not said to be anywhere", "{}", "CONFIG_INVALID", /modules\.json/],
  ])("refuses a CLIP of sentence-transformers that %s", async (_, modules, code, message) => {
    const files = { "modules.json": Buffer.from(modules), [`${WRAPPED}/config.json`]: CLIP["config.json"] };
    const { puller, hub } = await world({ "someone/clip": { commit: COMMIT, files } });
    await expect(puller.pull("someone/clip")).rejects.toMatchObject(failure(code, message));
    expect(hub.sent()).toBe(modules.length);
  });

  it("takes .bin weights where there are no safetensors", async () => {
    const bin = "open_clip_pytorch_model.bin";
    const { [WEIGHTS]: content, ...others } = SERVED.files;
    const { puller } = await world({
      [HUB_ID]: { ...SERVED, files: { ...others, [bin]: content } },
      [TOKENIZER_HOME]: SERVED_TOKENIZER,
    });
    expect((await puller.pull(NAME)).files.map(({ name }) => name)).toEqual([CONFIG, bin, "tokenizer.json"]);
  });

  it("refuses what cannot be decomposed before its weights are fetched", async () => {
    const config = JSON.parse(FILES[CONFIG].toString());
    config.model_cfg.vision_cfg.layers = [3, 4, 6, 3];
    const odd = { ...SERVED, files: { ...SERVED.files, [CONFIG]: Buffer.from(JSON.stringify(config)) } };
    const { puller, hub } = await world({ [HUB_ID]: odd, "someone/empty": { ...SERVED, files: {} } });
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("MODEL_UNSUPPORTED", /ResNet/));
    await expect(puller.pull("someone/empty")).rejects.toMatchObject(
      failure("MODEL_UNSUPPORTED", /no weights/),
    );
    expect(hub.sent(WEIGHTS)).toBe(0);
    const before = hub.seen.length;
    for (const architecture of [
      "RN50",
      "RN101-quickgelu/yfcc15m",
      "rn50x4::openai",
      "hf-hub:RN50x64/openai",
    ]) {
      const error = {
        ...failure("MODEL_UNSUPPORTED", /ResNet/),
        hint: expect.stringContaining("ViT-B-32/openai"),
      };
      await expect(puller.pull(architecture)).rejects.toMatchObject(error);
      await expect(locateModel(architecture)).rejects.toMatchObject(error);
    }
    await expect(puller.pull("MobileCLIP2-S4")).rejects.toMatchObject(
      failure("MODEL_UNSUPPORTED", /FastViT/),
    );
    expect(hub.seen.length).toBe(before);
    for (const nonsense of ["dog", "../x", "a/../b", "a/b/c"]) {
      await expect(puller.pull(nonsense)).rejects.toMatchObject(failure("MODEL_NOT_FOUND"));
    }
  });

  it("does without a tokenizer, and says so, where it would be another one than CLIP's", async () => {
    const config = JSON.parse(FILES[CONFIG].toString());
    config.model_cfg.text_cfg.hf_tokenizer_name = "someone/bytes";
    const odd = { ...SERVED, files: { ...SERVED.files, [CONFIG]: Buffer.from(JSON.stringify(config)) } };
    for (const served of [{ [HUB_ID]: odd, [TOKENIZER_HOME]: SERVED_TOKENIZER }, { [HUB_ID]: SERVED }]) {
      const events: ProgressEvent[] = [];
      const pulled = await (await world(served)).puller.pull(NAME, { report: (event) => events.push(event) });
      expect(pulled.files.map(({ name }) => name)).toEqual([CONFIG, WEIGHTS]);
      const message = expect.stringContaining("images only");
      expect(events).toContainEqual({ type: "warning", code: "TOKENIZER_INVALID", message });
    }
  });
});

describe("a model whose text tower is a language model", () => {
  it("gets that model's tokenizer where it has none of its own", async () => {
    const file = (path: string) => golden(`kinds/roberta/${path}`);
    const config = JSON.parse(file(CONFIG).toString());
    config.model_cfg.text_cfg.hf_tokenizer_name = "someone/roberta";
    const tokenizer = golden("tokenizer/metaclip2/tokenizer.json");
    const files = { [CONFIG]: Buffer.from(JSON.stringify(config)), [WEIGHTS]: file(WEIGHTS) };
    const { puller } = await world({
      "someone/clip": { ...SERVED, files },
      "someone/roberta": { commit: "b".repeat(40), files: { "tokenizer.json": tokenizer } },
      [TOKENIZER_HOME]: SERVED_TOKENIZER,
    });
    const { folder } = await puller.pull("someone/clip");
    expect(await readFile(join(folder, "tokenizer.json"))).toEqual(tokenizer);
  });
});

describe("the cache that the Python tools made", () => {
  /** Lays files out as huggingface_hub does; `broken` blobs are not there yet. */
  async function pythonCache(
    home: string,
    hubId: string,
    files: Record<string, Uint8Array>,
    broken: string[] = [],
  ) {
    const repository = join(home, "hub", `models--${hubId.replace("/", "--")}`);
    const snapshot = join(repository, "snapshots", COMMIT);
    for (const folder of ["blobs", "refs"]) await mkdir(join(repository, folder), { recursive: true });
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(repository, "refs", "main"), COMMIT);
    for (const [i, [name, content]] of Object.entries(files).entries()) {
      if (!broken.includes(name)) await writeFile(join(repository, "blobs", `etag${i}`), content);
      await symlink(`../../blobs/etag${i}`, join(snapshot, name));
    }
    return snapshot;
  }
  const laion = "laion/CLIP-ViT-B-16-laion2B-s34B-b88K";
  const present = async (env: Record<string, string>) =>
    (await listModels(env)).filter(({ source, present }) => source === "hub" && present);

  it("is used as it is, under every variable that names it", async () => {
    const { home } = await world();
    const snapshot = await pythonCache(home, laion, FILES);
    const hub = join(home, "hub");
    const places = [
      { HF_HOME: home },
      { HF_HUB_CACHE: hub },
      { HUGGINGFACE_HUB_CACHE: hub, HF_HOME: "/nowhere" },
    ];
    for (const env of places) {
      const located = await locateModel("ViT-B-16/laion2b_s34b_b88k", env);
      expect(located).toEqual({ name: "ViT-B-16/laion2b_s34b_b88k", folder: snapshot, embedded: false });
      expect(await present(env)).toMatchObject([
        { hubId: laion, folder: snapshot, approximate: false, patch: 14 },
      ]);
    }
    await expect(locateModel(laion, { HF_HOME: "/nowhere" })).rejects.toMatchObject({
      ...failure("MODEL_NOT_FOUND", /not in .nowhere.hub/),
      hint: "`clip-interpret pull ViT-B-16/laion2b_s34b_b88k` fetches it (about 599 MB).",
    });
  });

  it("prefers main, and the newest snapshot where main is not whole", async () => {
    const { home, env } = await world();
    const snapshot = await pythonCache(home, laion, FILES);
    const [older, newer] = ["b", "c"].map((letter) => join(snapshot, "..", letter.repeat(40)));
    for (const folder of [older, newer])
      await cp(snapshot, folder, { recursive: true, verbatimSymlinks: true });
    await utimes(older, 1, 1);
    expect(await locateModel(laion, env)).toMatchObject({ folder: snapshot });
    await rm(join(snapshot, CONFIG));
    expect(await locateModel(laion, env)).toMatchObject({ folder: newer });
  });

  it("does not pass for a model where something is missing, or another kind of model", async () => {
    const { home, env } = await world();
    await pythonCache(home, laion, FILES, [WEIGHTS]);
    // timm's own image tower, and a language model.
    const timm = { "config.json": Buffer.from('{"architecture": "vit"}'), "model.safetensors": TOKENIZER };
    const language = { "config.json": Buffer.from('{"model_type": "gpt2"}'), "model.safetensors": TOKENIZER };
    await pythonCache(home, "timm/vit", timm);
    await pythonCache(home, "someone/gpt", language);
    await mkdir(join(home, "hub", "models--x--y", "snapshots", "not-a-commit"), { recursive: true });
    expect(await present(env)).toEqual([]);
    for (const id of [laion, "timm/vit", "x/y"]) {
      await expect(locateModel(id, env)).rejects.toMatchObject(failure("MODEL_NOT_FOUND"));
    }
  });

  it("gets the tokenizer that OpenCLIP does not fetch, and nothing else, by pull", async () => {
    const { home, hub, puller } = await world();
    await pythonCache(home, HUB_ID, FILES);
    expect(await puller.pull(NAME)).toMatchObject({ receivedBytes: TOKENIZER.length });
    expect(hub.sent()).toBe(TOKENIZER.length);
  });

  it("loses to a folder of the same name", async () => {
    const { home, env } = await world();
    await pythonCache(home, laion, FILES);
    const [before, folder] = [process.cwd(), join(home, laion)];
    await mkdir(folder, { recursive: true });
    onTestFinished(() => process.chdir(before));
    process.chdir(home);
    expect(await locateModel(laion, env)).toMatchObject({ folder: await realpath(folder) });
  });
});
