/** Folders as people keep them: other formats, other programs' files, drives that drop, folders that move. */
import { execFileSync } from "node:child_process";
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { meanOutputs } from "../../src/analysis/ablation/forward-ablation.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { checkIndex, readIndex } from "../../src/corpus/open-index.ts";
import { type ScanOptions, scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { runHere } from "../support/run-cli.ts";

const LINUX = process.platform === "linux";
const ROOT = process.getuid?.() === 0;
const PICTURES = ["0067-monkey", "0049-snowboarder"].map((name) =>
  repositoryPath(`examples/scenes/images/${name}.png`),
);

let scratch: string;
let model: ClipModel;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "index-folders-"));
  const { folder } = await locateModel(DEFAULT_MODEL);
  model = await loadClipModel(folder, DEFAULT_MODEL);
}, 60_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true });
});

/** The beginning of a JPEG XL. */
const JXL = Buffer.concat([Buffer.from("0000000c4a584c200d0a870a", "hex"), Buffer.alloc(64)]);
const FILES: Readonly<Record<string, Buffer>> = { jxl: JXL, text: Buffer.from("no picture") };

/** A folder with the files that are named: pictures, unless their content is given. */
async function folderOf(...files: readonly (string | readonly [name: string, content: string])[]) {
  const folder = await mkdtemp(join(scratch, "test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const photos = join(folder, "photos");
  await mkdir(photos);
  for (const [i, file] of files.entries()) {
    const [name, content] = typeof file === "string" ? [file, undefined] : file;
    await mkdir(dirname(join(photos, name)), { recursive: true });
    if (content === undefined) await cp(PICTURES[i % 2], join(photos, name));
    else await writeFile(join(photos, name), FILES[content] ?? content);
  }
  return { folder, photos, index: join(folder, "photos.index") };
}

const pathsOf = async (input: string | readonly string[], options?: ScanOptions) =>
  (await scanSource(input, options)).images.map(({ path }) => path);

describe("what a folder holds besides images", () => {
  it("is said: pictures in formats that are not read by kind, each in rejected.jsonl, once", async () => {
    const { photos, index } = await folderOf(
      "a.jpg",
      ["IMG_1.JXL", "jxl"],
      ["IMG_2.jxl", "jxl"],
      ["misnamed.png", "jxl"],
      ["raw.NEF", "II*\0"],
    );
    const built = await buildIndex(model, photos, index);
    expect(built).toMatchObject({ images: 1, rejected: 4, unsupported: { ".jxl": 2, ".nef": 1, ".png": 1 } });
    const { rejected } = await readIndex(index);
    expect(rejected.map(({ path, code, message }) => [path, code, message.split(": ").at(-1)])).toEqual([
      ["IMG_1.JXL", "IMAGE_UNSUPPORTED", "JPEG XL"],
      ["IMG_2.jxl", "IMAGE_UNSUPPORTED", "JPEG XL"],
      ["raw.NEF", "IMAGE_UNSUPPORTED", "camera raw"],
      ["misnamed.png", "IMAGE_UNSUPPORTED", "JPEG XL"],
    ]);
    expect(await buildIndex(model, photos, index)).toMatchObject({
      added: 0,
      rejected: 4,
      unsupported: { ".jxl": 2 },
    });
    const text = (await runHere("index", photos, "--out", index)).stdout;
    expect(text).toContain("4 files are in formats that cannot be read: 2 .jxl, 1 .nef, 1 .png");
  });

  it("makes no classes of images: only folders with images that are read do", async () => {
    const { photos } = await folderOf("trip/a.jpg", ["raw/a.NEF", "jxl"]);
    expect((await scanSource(photos)).images.map(({ path, label }) => [path, label])).toContainEqual([
      "trip/a.jpg",
      null,
    ]);
  });

  it("is counted where it is no picture, and looked at where a name does not say", async () => {
    const { photos, index } = await folderOf(
      "a.jpg",
      "taken without extension",
      ["notes", "text"],
      ["notes.txt", "text"],
      ["clip.MP4", "text"],
      ["other.mp4", "text"],
      ["no-extension-either", "jxl"],
    );
    const built = await buildIndex(model, photos, index);
    expect(built).toMatchObject({ images: 2, rejected: 1, unsupported: { "without extension": 1 } });
    const others = { "without extension": 1, ".txt": 1, ".mp4": 2 };
    expect(built.passedOver).toEqual({ hidden: 0, others });
    const { stdout } = await runHere("index", photos, "--out", index, "--json");
    expect(JSON.parse(stdout).passedOver).toEqual({ hidden: 0, others });
  });

  it("is never told apart in more than fifty kinds: names can be anything", async () => {
    const files = Array.from({ length: 70 }, (_, i) => [`f.kind${i}`, "text"] as const);
    const { photos } = await folderOf("a.jpg", ...files);
    const { others } = (await scanSource(photos)).passed!;
    expect(Object.keys(others)).toHaveLength(51);
    expect(others.other).toBe(20);
  });

  it("that is hidden or other programs' own is passed over and counted, and makes no classes", async () => {
    const { photos } = await folderOf(
      "a.jpg",
      "._a.jpg",
      ".Trashes/deleted.jpg",
      "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
      "$RECYCLE.BIN/b.jpg",
      "System Volume Information/c.jpg",
      "node_modules/x/d.png",
      ["Thumbs.db", "text"],
    );
    const { images, passed } = await scanSource(photos);
    expect(images.map(({ path, label }) => [path, label])).toEqual([["a.jpg", null]]);
    expect(passed).toEqual({ hidden: 7, others: {} });
    expect(await pathsOf(photos, { hidden: true })).toHaveLength(7);
    // What is named is taken, whatever it is called.
    expect(await pathsOf(join(photos, ".Trashes"))).toEqual(["deleted.jpg"]);
  });

  it("may be its own index, which holds no image", async () => {
    const { photos } = await folderOf("a.jpg");
    await buildIndex(model, photos, join(photos, "index"));
    const { images, passed } = await scanSource(photos);
    expect([images.length, passed]).toEqual([1, { hidden: 0, others: {} }]);
  });

  it.runIf(LINUX)(
    "may have names that are no text, or of two lines: all are said, none ends the run",
    async () => {
      const { photos, index } = await folderOf("a.jpg", "two\nlines.jpg", "A.jpg");
      const odd = Buffer.concat([Buffer.from(`${photos}/`), Buffer.from([0x66, 0xff]), Buffer.from(".jpg")]);
      await cp(PICTURES[0], join(photos, "b.jpg"));
      await rename(join(photos, "b.jpg"), odd);
      const built = await buildIndex(model, photos, index);
      expect(built).toMatchObject({ images: 3, rejected: 0 });
      expect(built.unread).toMatchObject([
        { path: "f\ufffd.jpg", message: expect.stringContaining("not UTF-8") },
      ]);
      expect((await readIndex(index)).images.map(({ path }) => path)).toEqual([
        "A.jpg",
        "a.jpg",
        "two\nlines.jpg",
      ]);
    },
  );
});

describe("an index and its photos", () => {
  /** Runs `index`, then moves the folder that holds both. */
  async function moved() {
    const { folder, photos, index } = await folderOf("a.jpg", "b.jpg");
    await buildIndex(model, photos, index);
    const there = `${folder}-there`;
    await rename(folder, there);
    onTestFinished(() => rm(there, { recursive: true, force: true }));
    return { photos: join(there, "photos"), index: join(there, "photos.index"), there };
  }
  const neighbors = (index: string, ...more: string[]) =>
    runHere("neighbors", "--index", index, "--heads", "L3.H1", "--text", "a red square", ...more);

  it("move together: the root lies beside it, pictures are drawn, and the next run has nothing to do", async () => {
    const { photos, index, there } = await moved();
    expect(JSON.parse(await readFile(join(index, "manifest.json"), "utf8")).root).toBe("../photos");
    const out = join(there, "near.html");
    expect(await neighbors(index, "--out", out)).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(out, "utf8")).not.toContain("the file is gone");
    expect(await buildIndex(model, photos, index)).toMatchObject({ added: 0, changed: [], movedFrom: null });
  });

  it("move apart: a warning says so, --root finds them, and `index` takes the new place", async () => {
    const { photos, index, there } = await moved();
    const elsewhere = join(there, "elsewhere/photos");
    await mkdir(dirname(elsewhere));
    await rename(photos, elsewhere);
    const out = join(there, "near.html");
    const warned = await neighbors(index, "--out", out);
    expect(warned.code).toBe(0);
    expect(warned.stderr).toMatch(
      /^warning IMAGES_MISSING: 2 pictures of .*photos\.index cannot be read in .*--root/,
    );
    expect(await neighbors(index, "--out", out, "--root", elsewhere)).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(out, "utf8")).not.toContain("the file is gone");
    const built = await buildIndex(model, elsewhere, index);
    expect(built).toMatchObject({ images: 2, added: 0, root: elsewhere, movedFrom: photos });
    expect(await neighbors(index, "--out", out)).toMatchObject({ code: 0, stderr: "" });
    expect(await checkIndex(index)).toMatchObject({ missing: [], changed: [] });
  });

  it("are missed aloud by the server and by ablation too", async () => {
    const { photos, index, there } = await moved();
    const elsewhere = join(there, "elsewhere");
    await rename(photos, elsewhere);
    const warnings: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => void warnings.push(event);
    await indexedCorpus(index, { report });
    const message = expect.stringContaining(`2 pictures of ${index} cannot be read in ${photos}`);
    expect(warnings).toEqual([{ type: "warning", code: "IMAGES_MISSING", message }]);
    await indexedCorpus(index, { roots: [elsewhere], report });
    expect(warnings).toHaveLength(1);
    const ablated = meanOutputs(model, await readIndex(index), [0, 1], [3]);
    await expect(ablated).rejects.toMatchObject({ code: "IMAGES_MISSING" });
    const found = await readIndex(index, { root: elsewhere });
    expect((await meanOutputs(model, found, [0, 1], [3])).some((mean) => mean !== 0)).toBe(true);
    expect(await checkIndex(index)).toMatchObject({ missing: ["a.jpg", "b.jpg"] });
    expect(await checkIndex(index, { root: elsewhere })).toMatchObject({ missing: [], changed: [] });
  });

  it("are not taken for others of the same names", async () => {
    const { index, there } = await moved();
    const others = join(there, "others");
    await mkdir(others);
    for (const [i, name] of ["b.jpg", "a.jpg"].entries()) await cp(PICTURES[i], join(others, name));
    const refused = { code: "INDEX_MISMATCH", message: expect.stringContaining("2 have other bytes") };
    await expect(readIndex(index, { root: others })).rejects.toMatchObject(refused);
    await expect(buildIndex(model, others, index)).rejects.toMatchObject(refused);
    await expect(readIndex(index, { root: join(there, "nowhere") })).rejects.toMatchObject({
      code: "INDEX_MISMATCH",
      message: expect.stringContaining("2 are not there"),
    });
  });

  it("may be from before roots were relative, or far from each other: the root is absolute", async () => {
    const { photos, index, folder } = await folderOf("a.jpg");
    const far = join(folder, "deep/down/x.index");
    await buildIndex(model, photos, far);
    expect(JSON.parse(await readFile(join(far, "manifest.json"), "utf8")).root).toBe(photos);
    await cp(far, index, { recursive: true });
    expect((await readIndex(index)).manifest.root).toBe(photos);
    expect(await buildIndex(model, photos, index)).toMatchObject({ added: 0, movedFrom: null });
    const inside = join(photos, "own/x.index");
    await buildIndex(model, photos, inside);
    expect(JSON.parse(await readFile(join(inside, "manifest.json"), "utf8")).root).toBe("../..");
    expect((await readIndex(inside)).manifest.root).toBe(photos);
  });
});

describe("a drive that drops", () => {
  /** Twenty pictures, so that some are computed before others are opened. */
  const many = () => folderOf(...Array.from({ length: 20 }, (_, i) => `${String(i).padStart(2, "0")}.png`));
  /** Does something once, after the first batch. */
  const afterFirst = (act: () => Promise<void>) => {
    let acted = false;
    return async (event: ProgressEvent) => {
      if (event.type !== "advance" || acted) return;
      acted = true;
      await act();
    };
  };

  it("before the run ends it with its name, and takes nothing from the index", async () => {
    const { photos, index } = await folderOf("a.jpg", "b.jpg");
    await buildIndex(model, photos, index);
    await rename(photos, `${photos}-away`);
    await expect(scanSource(photos)).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await mkdir(photos);
    const { code, stderr } = await runHere("index", photos, "--out", index, "--prune");
    expect([code, stderr]).toEqual([1, expect.stringContaining("NO_IMAGES")]);
    expect((await readIndex(index)).images).toHaveLength(2);
  });

  it("during the run stops it; what is done is kept, and the next run goes on", async () => {
    const { photos, index } = await many();
    const source = await scanSource(photos);
    const drop = afterFirst(() => rename(photos, `${photos}-away`));
    const dropped = buildIndex(model, source, index, {
      batch: 2,
      decoders: 1,
      report: (event) => void drop(event),
    });
    await expect(dropped).rejects.toMatchObject({
      code: "SOURCE_GONE",
      message: expect.stringContaining(photos),
    });
    expect((await readIndex(index)).rejected).toEqual([]);
    await rename(`${photos}-away`, photos);
    // Not opened again: of the same size, and no picture any more.
    await writeFile(join(photos, "00.png"), Buffer.alloc((await stat(join(photos, "00.png"))).size));
    const again = await buildIndex(model, photos, index, { batch: 2 });
    expect(again).toMatchObject({ images: 20, added: 20, rejected: 0, unread: [] });
  });

  it("in part leaves out what it took along, says so, and the next run takes it in", async () => {
    const { photos, index } = await folderOf("a.jpg", "b.jpg", "c.jpg");
    const source = await scanSource(photos);
    await rename(join(photos, "b.jpg"), join(photos, "../b.jpg"));
    const warnings: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => void (event.type === "warning" && warnings.push(event));
    const built = await buildIndex(model, source, index, { report });
    expect(built).toMatchObject({
      images: 2,
      added: 2,
      rejected: 0,
      unread: [{ path: "b.jpg", code: "INPUT_NOT_FOUND" }],
    });
    expect(warnings).toMatchObject([{ code: "IMAGES_UNREAD", message: expect.stringContaining("b.jpg") }]);
    expect((await readIndex(index)).unread).toMatchObject([{ path: "b.jpg" }]);
    await rename(join(photos, "../b.jpg"), join(photos, "b.jpg"));
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 3, added: 1, unread: [] });
    await expect(stat(join(index, "unread.jsonl"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.runIf(LINUX && !ROOT)("or refuses a file: that file is tried anew each time", async () => {
    const { photos, index } = await folderOf("a.jpg", "b.jpg");
    await chmod(join(photos, "b.jpg"), 0);
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 1, unread: [{ path: "b.jpg" }] });
    await chmod(join(photos, "b.jpg"), 0o644);
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 2, unread: [] });
  });

  it("left rejected rows in indexes of before: they are no verdicts, and are tried anew", async () => {
    const { photos, index } = await folderOf("a.jpg", ["b.jpg", "text"]);
    await buildIndex(model, photos, index);
    await cp(PICTURES[1], join(photos, "b.jpg"));
    const { bytes } = (await scanSource(photos)).images[1];
    // As an earlier version wrote it down: of the file's size, without its time.
    await rewriteRejected(index, [
      { path: "b.jpg", bytes, code: "INPUT_NOT_FOUND", message: "no such file" },
    ]);
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 2, added: 1, rejected: 0 });
  });

  it("leaves a picture that was too large to be tried anew under another limit, and no sooner", async () => {
    const { photos, index } = await folderOf("a.jpg", "b.jpg");
    expect(await buildIndex(model, photos, index, { maxPixels: 10 })).toMatchObject({
      images: 0,
      rejected: 2,
    });
    expect(await buildIndex(model, photos, index)).toMatchObject({ added: 0, rejected: 2 });
    const limit = { maxPixels: 1e6 };
    expect(await buildIndex(model, photos, index, limit)).toMatchObject({ images: 2, added: 2, rejected: 0 });
  });

  it("says nothing of what is there and no picture: that is a verdict until size or time change", async () => {
    const { photos, index } = await folderOf("a.jpg", ["b.jpg", "0123456789"]);
    await buildIndex(model, photos, index);
    expect(await buildIndex(model, photos, index)).toMatchObject({ added: 0, rejected: 1 });
    await writeFile(join(photos, "b.jpg"), "9876543210");
    await utimes(join(photos, "b.jpg"), 1e9, 1e9);
    expect(await buildIndex(model, photos, index)).toMatchObject({ added: 1, rejected: 1 });
  });

  it("with the index on it stops the run with a name, and makes no second index in its place", async () => {
    const { photos, index } = await many();
    const drop = afterFirst(() => rename(index, `${index}-away`));
    const options = { batch: 2, shardSize: 4, report: (event: ProgressEvent) => void drop(event) };
    await expect(buildIndex(model, photos, index, options)).rejects.toMatchObject({ code: "INDEX_GONE" });
    await expect(stat(join(index, "manifest.json"))).rejects.toMatchObject({ code: "ENOENT" });
    await rm(index, { recursive: true, force: true });
    // The lock is one of a process that lives: this one.
    await rm(join(`${index}-away`, ".lock"), { force: true });
    await rename(`${index}-away`, index);
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 20 });
  });

  it.runIf(LINUX)("and whose manifest cannot be read is not taken for an empty folder", async () => {
    const { photos, index } = await folderOf("a.jpg");
    await buildIndex(model, photos, index);
    const manifest = join(index, "manifest.json");
    await rename(manifest, join(index, ".kept"));
    await symlink("manifest.json", manifest);
    await expect(buildIndex(model, photos, index)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await rm(manifest);
    await expect(buildIndex(model, photos, index)).rejects.toMatchObject({ code: "INDEX_INVALID" });
    await rename(join(index, ".kept"), manifest);
    expect(await buildIndex(model, photos, index)).toMatchObject({ images: 1, added: 0 });
  });
});

describe("input as people give it", () => {
  const stream = async function* (text: string) {
    yield Buffer.from(text);
  };

  it("may be one picture, several, folders and patterns, together", async () => {
    const { photos, folder } = await folderOf("a.jpg", "b.png", "sub/c.jpg", "sub/deep/d.jpg", [
      "n.txt",
      "text",
    ]);
    const at = (...names: string[]) => names.map((name) => join(photos, name));
    expect(await pathsOf(at("a.jpg"))).toEqual(["a.jpg"]);
    expect(await pathsOf(at("b.png", "a.jpg"))).toEqual(["a.jpg", "b.png"]);
    expect(await pathsOf(at("a.jpg", "sub"))).toEqual(["a.jpg", "sub/c.jpg", "sub/deep/d.jpg"]);
    expect(await pathsOf(at("*.jpg"))).toEqual(["a.jpg"]);
    expect(await pathsOf(at("**/*.jpg"))).toEqual(["a.jpg", "sub/c.jpg", "sub/deep/d.jpg"]);
    expect(await pathsOf(at("{a,b}.*"))).toEqual(["a.jpg", "b.png"]);
    // As a shell would have it: a folder that fits is taken whole.
    expect(await pathsOf(at("s*"))).toEqual(["sub/c.jpg", "sub/deep/d.jpg"].map((path) => path));
    expect(await pathsOf(at("*/*.jpg"))).toEqual(["sub/c.jpg"]);
    const { images, passed } = await scanSource(at("*", "sub"), { root: folder });
    expect(images.map(({ path, label }) => [path, label])).toContainEqual(["photos/sub/c.jpg", "photos/sub"]);
    expect(passed).toEqual({ hidden: 0, others: { ".txt": 1 } });
  });

  it("may have names that look like patterns", async () => {
    const { photos } = await folderOf("IMG [1] (2).jpg", "IMG 1 (2).jpg");
    expect(await pathsOf(join(photos, "IMG [1] (2).jpg"))).toEqual(["IMG [1] (2).jpg"]);
  });

  it("is refused where nothing fits", async () => {
    const { photos } = await folderOf("a.jpg", ["n.txt", "text"]);
    const missing = { code: "INPUT_NOT_FOUND" };
    await expect(scanSource(join(photos, "*.png"))).rejects.toMatchObject(missing);
    await expect(scanSource([join(photos, "a.jpg"), join(photos, "z.jpg")])).rejects.toMatchObject(missing);
    await expect(scanSource(["-", join(photos, "a.jpg")])).rejects.toMatchObject({ code: "USAGE" });
  });

  it("may be lines: of a .txt beside the pictures, or of standard input, with zero bytes too", async () => {
    const { photos } = await folderOf("a.jpg", "sub/c.jpg", "two\nlines.jpg", [
      "list.txt",
      "sub/c.jpg\r\n\n./a.jpg\na.jpg\n",
    ]);
    const warnings: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => void warnings.push(event);
    expect(await pathsOf(join(photos, "list.txt"), { report })).toEqual(["sub/c.jpg", "a.jpg"]);
    expect(warnings).toMatchObject([{ code: "IMAGE_REPEATED", message: expect.stringContaining("a.jpg") }]);
    const lines = `${photos}/sub/c.jpg\n`;
    const { root, images } = await scanSource("-", { stdin: stream(lines) });
    expect([root, images.map(({ path }) => path)]).toEqual([join(photos, "sub"), ["c.jpg"]]);
    const found = ["a.jpg", "two\nlines.jpg"].map((name) => `${photos}/${name}\0`).join("");
    expect(await pathsOf("-", { stdin: stream(found) })).toEqual(["a.jpg", "two\nlines.jpg"]);
    await expect(scanSource("-", { stdin: stream("https://example.org/a.jpg\n") })).rejects.toMatchObject({
      code: "LIST_INVALID",
      message: "standard input, line 1: https://example.org/a.jpg is an address",
    });
  });

  it.runIf(LINUX)(
    "may be a pipe of lines, but no picture is a pipe, a device or a folder: none is waited for",
    async () => {
      const { folder, photos, index } = await folderOf("a.jpg", "sub/c.jpg");
      execFileSync("mkfifo", [join(photos, "pipe.jpg"), join(folder, "lines")]);
      await writeFile(join(photos, "list.txt"), "a.jpg\npipe.jpg\nsub\n/dev/zero\n");
      const built = await buildIndex(model, join(photos, "list.txt"), index);
      expect(built).toMatchObject({ images: 1, rejected: 3, unread: [] });
      const why = (await readIndex(index)).rejected.map(({ message }) => message.split(": ").at(-1));
      expect(why).toEqual([
        "it is a pipe, not a file",
        "it is a folder, not a file",
        "it is a device, not a file",
      ]);
      expect(await pathsOf(photos)).toEqual(["a.jpg", "pipe.jpg", "sub/c.jpg"]);
      const [paths] = await Promise.all([
        pathsOf(join(folder, "lines"), { root: photos }),
        writeFile(join(folder, "lines"), "sub/c.jpg\n"),
      ]);
      expect(paths).toEqual(["sub/c.jpg"]);
      await expect(scanSource("/dev/zero")).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    },
  );
});

describe("--texts of explain and segment", () => {
  it("reads a text a line, after those of --text, each once", async () => {
    const { folder, photos } = await folderOf("a.png");
    const file = join(folder, "texts.txt");
    await writeFile(file, "a cat\n\n  a   dog \n");
    for (const command of ["explain", "segment"]) {
      const args = [command, join(photos, "a.png"), "--text", "a dog", "--texts", file, "--json"];
      const { stdout, code } = await runHere(...args);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).texts.map(({ text }: { text: string }) => text)).toEqual(["a dog", "a cat"]);
    }
  });

  it("refuses more texts than a picture can show, and a file without any", async () => {
    const { folder, photos } = await folderOf("a.png");
    const file = join(folder, "texts.txt");
    const args = ["explain", join(photos, "a.png"), "--texts", file];
    await writeFile(file, Array.from({ length: 101 }, (_, i) => `text ${i}\n`).join(""));
    expect(await runHere(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("101 texts") });
    await writeFile(file, "\n");
    expect(await runHere(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("TEXTS_EMPTY") });
  });
});

/** Writes rejected rows of the first shard anew, with checksums that fit. */
async function rewriteRejected(index: string, rows: readonly object[]): Promise<void> {
  const { createHash } = await import("node:crypto");
  const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(join(index, "shards/000000/rejected.jsonl"), bytes);
  const path = join(index, "manifest.json");
  const manifest = JSON.parse(await readFile(path, "utf8"));
  manifest.shards[0].rejected = rows.length;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  manifest.shards[0].files["rejected.jsonl"] = { bytes: bytes.length, sha256 };
  await writeFile(path, JSON.stringify(manifest));
}
