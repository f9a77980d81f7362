import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { Random } from "../../src/math/random.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { indexCheckSchema, indexResultSchema } from "../../src/results/index-run.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import {
  bareEnvironment,
  expectError,
  jsonLines,
  repositoryPath,
  runCli,
  runOk,
  sharedFolder,
  startCli,
  testFolder,
} from "./cli.ts";

const IMAGES = 75;
const SHARD_SIZE = 15;
/** What the last of several runs on a busy machine may take. */
const TIMEOUT = 120_000;
const LINUX = process.platform === "linux";
const ROOT = process.getuid?.() === 0;

const shared = sharedFolder();
const corpus = () => shared("corpus");
/** The command that indexes the corpus in five shards. */
const indexing = (out: string) => [
  "index",
  corpus(),
  "--out",
  out,
  "--shard-size",
  `${SHARD_SIZE}`,
  "--json",
];
const parse = (stdout: string) => indexResultSchema.parse(JSON.parse(stdout));
const run = async (out: string) => parse(await runOk(indexing(out), { timeout: TIMEOUT }));

/** The files of the corpus's index that nothing has disturbed. */
let undisturbed: Record<string, string>;
/** How long making it took, in milliseconds, from the first sign of it to the end. */
let duration: number;

beforeAll(async () => {
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus(), await planCorpus({ split: "demo", size: 64, indices }));
  const started = startCli(indexing(shared("index")), { timeout: TIMEOUT });
  await begun(shared("index"), started);
  const start = performance.now();
  expect(await started.result).toMatchObject({ code: 0, stderr: "" });
  duration = performance.now() - start;
  undisturbed = await filesOf(shared("index"));
}, 240_000);

/** Waits until the first run on an index has made it its own, or has ended. */
async function begun(index: string, { child }: ReturnType<typeof startCli>): Promise<void> {
  while (child.exitCode === null && !existsSync(join(index, ".lock"))) await sleep(2);
}

/** A checksum of each file that makes up an index. */
async function filesOf(index: string): Promise<Record<string, string>> {
  const shards = (await readdir(join(index, "shards"), { recursive: true })).map((name) => `shards/${name}`);
  const files: Record<string, string> = {};
  for (const name of ["manifest.json", ...shards.sort()]) {
    if (!(await stat(join(index, name))).isFile()) continue;
    const bytes = await readFile(join(index, name));
    // Where an index lies decides how it writes down where its images do, and nothing else.
    const content = name === "manifest.json" ? bytes.toString().replace(/"root": ".*"/, "") : bytes;
    files[name] = createHash("sha256").update(content).digest("hex");
  }
  return files;
}

/** A new folder with the first pictures of the corpus, and where their index is to lie. */
async function fewPictures(count: number): Promise<{ pictures: string; index: string; names: string[] }> {
  const folder = await testFolder();
  const pictures = join(folder, "pictures");
  await mkdir(pictures);
  const names = (await readdir(join(corpus(), "images"))).sort().slice(0, count);
  for (const name of names) await cp(join(corpus(), "images", name), join(pictures, name));
  return { pictures, index: join(folder, "index"), names };
}

/** Turns one bit of a file over. */
async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  await handle.write(Buffer.of(byte[0] ^ 4), 0, 1, at);
  await handle.close();
}

describe("index", () => {
  it("says what it did, for programs and for people", async () => {
    const { pictures, index } = await fewPictures(6);
    await writeFile(join(pictures, "notes.png"), "no picture");
    const args = ["index", pictures, "--out", index];
    const result = parse(await runOk([...args, "--json"]));
    const { origin, ...counts } = result;
    expect(origin).toMatchObject({
      model: { name: DEFAULT_MODEL },
      index: { name: basename(index), images: 6 },
    });
    expect(counts).toEqual({
      folder: index,
      root: pictures,
      movedFrom: null,
      images: 6,
      rejected: 1,
      unsupported: {},
      firstRejected: [{ path: "notes.png", code: "IMAGE_UNREADABLE", message: expect.any(String) }],
      unread: [],
      passedOver: { hidden: 0, others: {} },
      shards: 1,
      added: 7,
      changed: [],
      removed: [],
      pruned: false,
      repaired: [],
      part: null,
      exported: [],
    });
    const text = await runOk(args);
    expect(text).toContain(`6 images in ${index} (${DEFAULT_MODEL}, 1 shard), 0 files read now`);
    expect(text).toContain("1 file could not be indexed:\n");
    expect(text).toMatch(/notes\.png: it does not begin as a picture does\n/);
    for (const name of ["2", "3", "4", "5", "6", "7"]) await writeFile(join(pictures, `${name}.png`), "none");
    expect(await runOk(args)).toMatch(/7 files could not be indexed:\n( {4}cannot decode .*\n){5} {4}…, as /);
  });

  it("warns of pictures that have changed or gone, and brings the index up to date with --prune", async () => {
    const { pictures, index, names } = await fewPictures(6);
    const args = ["index", pictures, "--out", index, "--json"];
    await runOk(args);
    await appendFile(join(pictures, names[1]), "more");
    await unlink(join(pictures, names[2]));
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(0);
    expect(parse(stdout)).toMatchObject({ images: 6, added: 0, changed: [names[1]], removed: [names[2]] });
    const warnings = jsonLines(stderr) as { warning: { code: string; message: string } }[];
    expect(warnings).toHaveLength(2);
    for (const [i, { warning }] of warnings.entries()) {
      expect(warning.code).toBe("INDEX_OUTDATED");
      expect(warning.message).toMatch(/^1 indexed files? .*--prune/);
      expect(warning.message).toContain(names[1 + i]);
    }
    const pruned = parse(await runOk([...args, "--prune"]));
    expect(pruned).toMatchObject({ images: 5, added: 1, pruned: true });
    expect(parse(await runOk(args))).toMatchObject({ images: 5, added: 0, changed: [], removed: [] });
  });

  it("makes one index where two processes make it at once", async () => {
    const { pictures, index } = await fewPictures(12);
    const args = ["index", pictures, "--shard-size", "3", "--json"];
    const both = [1, 2].map(() => startCli([...args, "--out", index], { timeout: TIMEOUT }).result);
    const ended = await Promise.all(both);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    // The one that came second says who it waits for.
    const said = ended.flatMap(({ stderr }) => jsonLines(stderr));
    expect(said).toEqual(
      said.map(() => ({ note: expect.stringMatching(/^waiting: another process \(process \d+ on /) })),
    );
    const results = ended.map(({ stdout }) => parse(stdout));
    expect(results.map(({ added }) => added).sort()).toEqual([0, 12]);
    expect(results.map(({ images }) => images)).toEqual([12, 12]);
    await runOk([...args, "--out", `${index}-alone`], { timeout: TIMEOUT });
    expect(await filesOf(index)).toEqual(await filesOf(`${index}-alone`));
  });

  it.each([
    ["no input", () => [], "USAGE"],
    ["a folder that is not there", () => ["nowhere"], "INPUT_NOT_FOUND"],
    ["shards of nothing", () => [corpus(), "--shard-size", "0"], "USAGE"],
    ["an unknown dtype", () => [corpus(), "--dtype", "float8"], "USAGE"],
    ["a folder without pictures", () => [shared("index/shards")], "NO_IMAGES"],
  ])("refuses %s, and makes nothing", async (_, args, code) => {
    const index = join(await testFolder(), "index");
    expectError(await runCli(["index", "--out", index, ...args()]), code);
    expect(existsSync(index)).toBe(false);
  });

  it("refuses an index of another form in one line, and to write where it may not", async () => {
    const [differing, file] = [indexing(shared("index")), join(await testFolder(), "file")];
    expectError(await runCli([...differing, "--dtype", "float32"]), "INDEX_MISMATCH");
    await writeFile(file, "");
    expectError(await runCli(indexing(file)), "OUTPUT_UNWRITABLE");
    expectError(await runCli(indexing(join(file, "below"))), "OUTPUT_UNWRITABLE");
  });
});

describe("a run that is stopped", () => {
  it("by Ctrl-C says so, keeps what is done, and goes on when it is run again", async () => {
    const index = join(await testFolder(), "index");
    const { child, result } = startCli(indexing(index), { timeout: TIMEOUT });
    while (child.exitCode === null && !existsSync(join(index, "shards/000000"))) await sleep(5);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await result;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(jsonLines(stderr)).toMatchObject([
      {
        error: {
          code: "CANCELLED",
          hint: "Images that were looked at are kept; the same command goes on after them.",
        },
      },
    ]);
    const { images } = await readIndex(index);
    expect(images.length % SHARD_SIZE).toBe(0);
    expect(images.length).toBeLessThan(IMAGES);
    expect(await run(index)).toMatchObject({ images: IMAGES, added: IMAGES - images.length });
    expect(await filesOf(index)).toEqual(undisturbed);
  });

  it("by kill -9, at any moment, ends as if nothing had happened: the same bytes (a hundred times in test:long)", {
    timeout: 600_000,
  }, async () => {
    const folder = await testFolder();
    let killed = 0;
    for (let seed = 0; seed < 2; seed++) {
      const index = join(folder, `index-${seed}`);
      const started = startCli(indexing(index), { timeout: TIMEOUT });
      const { child, result } = started;
      await begun(index, started);
      const moment = new Random(9, seed).unit() * duration;
      await sleep(moment);
      child.kill("SIGKILL");
      if ((await result).code === null) killed++;
      const where = `seed ${seed}, killed after ${moment.toFixed(0)} ms`;
      // Whatever was there when it died, it opens.
      if (existsSync(join(index, "manifest.json"))) {
        const warnings: ProgressEvent[] = [];
        const { images } = await readIndex(index, { report: (event) => void warnings.push(event) });
        expect([images.length % SHARD_SIZE, warnings], where).toEqual([0, []]);
      }
      const again = await runCli(indexing(index), { timeout: TIMEOUT });
      expect(again, where).toMatchObject({ code: 0, stderr: "" });
      expect(parse(again.stdout), where).toMatchObject({ images: IMAGES, repaired: [] });
      expect(await filesOf(index), where).toEqual(undisturbed);
      expect((await readdir(index)).sort(), where).toEqual(["manifest.json", "shards"]);
    }
    expect(killed, "runs that were still at work when they were killed").toBeGreaterThan(0);
  });
});

describe("index --check", () => {
  const check = (index: string, ...more: string[]) => runCli(["index", "--out", index, "--check", ...more]);

  it("finds every byte as it was written, then one flipped bit and a changed picture", async () => {
    const { pictures, index, names } = await fewPictures(8);
    const indexed = ["index", pictures, "--out", index, "--shard-size", "4", "--json"];
    await runOk(indexed);
    const clean = await runOk(["index", "--out", index, "--check", "--json"]);
    const found = indexCheckSchema.parse(JSON.parse(clean));
    const nothing = { corrupt: [], changed: [], missing: [] };
    const { origin, ...checked } = found;
    expect(origin.index).toMatchObject({ name: basename(index), images: 8 });
    expect(checked).toEqual({ folder: index, model: DEFAULT_MODEL, images: 8, shards: 2, ...nothing });
    await flip(join(index, "shards/000001/heads.npy"), 1000);
    await flip(join(pictures, names[2]), 300);
    await unlink(join(pictures, names[6]));
    const { code, stdout, stderr } = await check(index, "--json");
    expect(code).toBe(1);
    expect(indexCheckSchema.parse(JSON.parse(stdout))).toMatchObject({
      corrupt: ["shards/000001/heads.npy"],
      changed: [names[2]],
      missing: [names[6]],
    });
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: "INDEX_CORRUPT", hint: expect.stringContaining("Remove shards/000001 ") },
    });
    const text = (await check(index)).stdout;
    for (const line of ["damaged: shards/000001/heads.npy", `changed: ${names[2]}`, `missing: ${names[6]}`]) {
      expect(text).toContain(`  ${line}\n`);
    }
  });

  it("is followed by its own advice: without the damaged shard, `index` makes it anew", async () => {
    const { pictures, index } = await fewPictures(8);
    const indexed = ["index", pictures, "--out", index, "--shard-size", "4", "--json"];
    await runOk(indexed);
    const before = await filesOf(index);
    await flip(join(index, "shards/000001/embedding.npy"), 500);
    expect((await check(index)).code).toBe(1);
    await rm(join(index, "shards/000001"), { recursive: true });
    const { code, stdout, stderr } = await runCli(indexed);
    expect(code).toBe(0);
    expect(jsonLines(stderr)).toEqual([
      { warning: { code: "INDEX_CORRUPT", message: expect.stringContaining("000001") } },
    ]);
    expect(parse(stdout)).toMatchObject({ added: 4, repaired: ["000001"] });
    expect(await filesOf(index)).toEqual(before);
    expect((await check(index)).code).toBe(0);
  });

  it.runIf(LINUX)("prints a picture's name without doing what it says to the terminal", async () => {
    const { pictures, index, names } = await fewPictures(2);
    await cp(join(pictures, names[0]), join(pictures, "\u001b[2Jgone.png"));
    await runOk(["index", pictures, "--out", index]);
    await unlink(join(pictures, "\u001b[2Jgone.png"));
    const { code, stdout } = await check(index);
    expect(code).toBe(0);
    expect(stdout).toContain("missing: ");
    expect(stdout).not.toContain("\u001b");
  });

  it("says that there is no index where there is none", async () => {
    expectError(await check(await testFolder()), "INDEX_INVALID");
  });
});

describe("a shard that was damaged on disk", () => {
  it("is left out with a warning, the others answer, and the next run makes it anew", async () => {
    const index = join(await testFolder(), "index");
    await cp(shared("index"), index, { recursive: true });
    await unlink(join(index, "shards/000001/scalars.npy"));
    await truncate(join(index, "shards/000003/heads.npy"), 5000);
    const warnings: ProgressEvent[] = [];
    const opened = await readIndex(index, { report: (event) => void warnings.push(event) });
    expect(warnings).toMatchObject([{ code: "INDEX_CORRUPT" }, { code: "INDEX_CORRUPT" }]);
    expect(opened.images).toHaveLength(IMAGES - 2 * SHARD_SIZE);
    const { embedDim, headDim } = opened.manifest;
    expect(await opened.embeddings()).toHaveLength(opened.images.length * embedDim);
    expect(await opened.head(0, 0)).toHaveLength(opened.images.length * headDim);
    const { code, stdout, stderr } = await runCli(indexing(index), { timeout: TIMEOUT });
    expect(code).toBe(0);
    expect(jsonLines(stderr)).toEqual([
      { warning: { code: "INDEX_CORRUPT", message: expect.stringContaining("000001, 000003") } },
    ]);
    const repaired = ["000001", "000003"];
    expect(parse(stdout)).toMatchObject({ images: IMAGES, added: 2 * SHARD_SIZE, repaired });
    const [mended, whole] = [await readIndex(index), await readIndex(shared("index"))];
    const byPath = async ({ images, embeddings }: typeof whole) => {
      const all = await embeddings();
      return new Map(images.map(({ path }, i) => [path, all.slice(i * embedDim, (i + 1) * embedDim)]));
    };
    expect(await byPath(mended)).toEqual(await byPath(whole));
    expect((await runCli(["index", "--out", index, "--check"])).code).toBe(0);
  });
});

describe("a disk or folder that gives trouble", () => {
  it.skipIf(process.platform === "win32")(
    "costs a folder that may not be read its pictures, with a warning, and no other's",
    async (context) => {
      const folder = await testFolder();
      const pictures = join(folder, "pictures");
      for (const name of ["open", "closed"]) await mkdir(join(pictures, name), { recursive: true });
      const names = (await readdir(join(corpus(), "images"))).slice(0, 6);
      for (const [i, name] of names.entries()) {
        await cp(join(corpus(), "images", name), join(pictures, i < 4 ? "open" : "closed", name));
      }
      // Root may read everything, so another user runs the command then.
      const nobody = 65534;
      await chmod(folder, 0o777);
      await chmod(join(pictures, "closed"), 0);
      onTestFinished(() => chmod(join(pictures, "closed"), 0o700));
      const user = ROOT ? { uid: nobody, gid: nobody } : {};
      if (ROOT) await chown(folder, nobody, nobody);
      const how = { ...user, env: bareEnvironment(folder), cwd: folder, encoding: "utf8" } as const;
      const main = repositoryPath("dist/cli/main.js");
      const command = (...args: string[]): SpawnSyncReturns<string> =>
        spawnSync(process.execPath, [main, ...args], how);
      if (command("--version").status !== 0) {
        expect(process.env.CI, "no user but root can run the tool here").toBeUndefined();
        return context.skip("no user but root can run the tool from this folder");
      }
      const { status, stdout, stderr } = command("index", pictures, "--out", join(folder, "index"), "--json");
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stderr)).toEqual({
        warning: { code: "INPUT_UNREADABLE", message: expect.stringContaining("closed") },
      });
      expect(parse(stdout)).toMatchObject({ images: 4, rejected: 0 });
      const { images } = await readIndex(join(folder, "index"));
      expect(images.map(({ path }) => path)).toEqual(
        names
          .slice(0, 4)
          .map((name) => `open/${name}`)
          .sort(),
      );
      // Once seen, its pictures are not taken for removed when it cannot be read again.
      const prune = () => {
        const run = command("index", pictures, "--out", join(folder, "index"), "--prune", "--json");
        return parse(run.stdout);
      };
      await chmod(join(pictures, "closed"), 0o755);
      expect(prune()).toMatchObject({ images: 6, added: 2, changed: [], removed: [] });
      await chmod(join(pictures, "closed"), 0);
      expect(prune()).toMatchObject({ images: 6, added: 0, changed: [], removed: [] });
    },
  );

  it.runIf(LINUX)("that is full is told in one line, and with room the same command goes on", async () => {
    const { pictures, index } = await fewPictures(4);
    const args = ["index", pictures, "--out", index, "--json"];
    // Whatever is written there fails as on a full disk; so does the index's first file.
    await mkdir(index);
    await symlink("/dev/full", join(index, "manifest.json.part"));
    const full = await runCli(args);
    expectError(full, "DISK_FULL");
    expect(full.stderr).toContain(index);
    await rm(join(index, "manifest.json.part"), { force: true });
    expect(parse(await runOk(args))).toMatchObject({ images: 4 });
  });

  it.runIf(LINUX).for([
    ["from the first byte on", 0.01],
    ["after a shard", 1.9],
  ] as const)(
    "that is full %s, in truth, completes the index byte for byte with room",
    async ([_, shards], context) => {
      const disk = join(await testFolder(), "disk");
      await mkdir(disk);
      const mount = (size: number, ...options: string[]) => {
        const flags = [...options, `size=${Math.ceil(size)}`].join(",");
        return spawnSync("mount", ["-t", "tmpfs", "-o", flags, "tmpfs", disk]).status === 0;
      };
      if (!mount(shards * (await shardBytes()))) {
        console.warn("no tmpfs can be mounted here: only /dev/full stands for a full disk");
        return context.skip("no tmpfs can be mounted here");
      }
      onTestFinished(() => void spawnSync("umount", [disk]));
      const index = join(disk, "index");
      expectError(await runCli(indexing(index), { timeout: TIMEOUT }), "DISK_FULL");
      const kept = existsSync(join(index, "manifest.json")) ? (await readIndex(index)).images.length : 0;
      expect(kept).toBe(shards > 1 ? SHARD_SIZE : 0);
      // Full as it is, it is full again.
      expectError(await runCli(indexing(index), { timeout: TIMEOUT }), "DISK_FULL");
      expect(mount(64e6, "remount")).toBe(true);
      expect(await run(index)).toMatchObject({ images: IMAGES, added: IMAGES - kept, repaired: [] });
      expect(await filesOf(index)).toEqual(undisturbed);
    },
  );
});

/** How many bytes a shard of the corpus takes. */
async function shardBytes(): Promise<number> {
  const folder = shared("index/shards/000000");
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
