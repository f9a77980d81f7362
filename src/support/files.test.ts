import { execSync, spawn } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  appendTo,
  fillFolder,
  fillWhole,
  inTemporaryFolder,
  keepNewest,
  linesOf,
  makeFolder,
  namesIn,
  whileHeld,
  writeWhole,
} from "./files.ts";

const root = mkdtempSync(join(tmpdir(), "clip-interpret-files-"));
afterAll(() => rmSync(root, { recursive: true }));
const LINUX = process.platform === "linux";
const MODULE = new URL("files.ts", import.meta.url).href;

let folders = 0;
function oldFile(): { folder: string; path: string } {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  writeFileSync(join(folder, "a.txt"), "old");
  return { folder, path: join(folder, "a.txt") };
}

const holdsOnlyOld = (folder: string) => {
  expect(readdirSync(folder)).toEqual(["a.txt"]);
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("old");
};

describe("a folder that is made", () => {
  it("may be there, or half of the way to it, and others may make it at the same time", async () => {
    const path = join(root, "made", "a", "b", "c");
    await makeFolder(join(path, "..", ".."));
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, "d"))]);
    await makeFolder(path);
    expect(readdirSync(path)).toEqual(["d"]);
  });

  it("is refused where a file is in its way", async () => {
    const { path } = oldFile();
    await expect(makeFolder(path)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(path, "below"))).rejects.toThrow();
  });

  it.runIf(LINUX)("is refused where the system makes none, instead of being asked for for ever", async () => {
    const error = { code: "OUTPUT_UNWRITABLE", message: expect.stringContaining("/proc/nowhere") };
    await expect(writeWhole("/sys/nowhere/a/b.txt", "new")).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
    await expect(fillWhole("/proc/nowhere/a/b.txt", async () => {})).rejects.toMatchObject(error);
  });
});

describe("a file that is written", () => {
  it("replaces the one before, or is new in a new folder, whatever it is written from", async () => {
    const { folder, path } = oldFile();
    async function* later() {
      yield "ab";
      yield new Uint8Array([99]);
    }
    for (const data of ["abc", Buffer.from("abc"), ["a", Buffer.from("bc")], later()]) {
      await writeWhole(path, data);
      expect(readFileSync(path, "utf8")).toBe("abc");
      writeFileSync(path, "old");
    }
    await writeWhole(join(folder, "x", "y"), "");
    expect(readFileSync(join(folder, "x", "y"), "utf8")).toBe("");
    await writeWhole(join(folder, "x", "n".repeat(255)), "long");
    expect(readdirSync(join(folder, "x"))).toEqual(["n".repeat(255), "y"]);
  });

  it("keeps its permissions, and a link to it stays one", async () => {
    const { folder, path } = oldFile();
    chmodSync(path, 0o600);
    const { mode } = statSync(path); // Windows knows one right of the three.
    symlinkSync("a.txt", join(folder, "link"));
    await writeWhole(join(folder, "link"), "new");
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode).toBe(mode);
  });

  it("shows what was there before until it is whole, to each of two that write it at once", async () => {
    const { folder, path } = oldFile();
    const seen: string[] = [];
    async function* slow(letter: string) {
      for (let i = 0; i < 3; i++) {
        yield letter;
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(readFileSync(path, "utf8"));
      }
    }
    await Promise.all([writeWhole(path, slow("a")), writeWhole(path, slow("b"))]);
    expect(new Set(seen.filter((text) => text !== "old" && text !== "aaa" && text !== "bbb")).size).toBe(0);
    expect(seen[0]).toBe("old");
    expect(["aaa", "bbb"]).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });
});

describe("a write that fails leaves the old file whole and nothing beside it", () => {
  it("when its data cannot be made; the error passes", async () => {
    const { folder, path } = oldFile();
    async function* broken() {
      yield "half";
      throw Object.assign(new Error("disk"), { code: "ENOSPC" });
    }
    await expect(writeWhole(path, broken())).rejects.toMatchObject({ code: "DISK_FULL" });
    holdsOnlyOld(folder);
    const fill = async (part: string) => {
      writeFileSync(part, "half");
      throw new Error("no");
    };
    await expect(fillWhole(path, fill)).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      message: `cannot write ${path}: no`,
    });
    holdsOnlyOld(folder);
  });

  it.runIf(LINUX)("when the disk is full", async () => {
    const { folder, path } = oldFile();
    // The kernel itself says ENOSPC to whoever writes to /dev/full.
    const part = join(folder, "part");
    symlinkSync("/dev/full", part);
    await expect(writeWhole(path, "new", { part })).rejects.toMatchObject({ code: "DISK_FULL" });
    holdsOnlyOld(folder);
    await expect(writeWhole("/dev/full", "new")).rejects.toMatchObject({ code: "DISK_FULL" });
  });

  it("when a folder is there, or a file where its folder should be", async () => {
    const { folder, path } = oldFile();
    await expect(writeWhole(folder, "new")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    await expect(writeWhole(join(path, "x"), "new")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    holdsOnlyOld(folder);
  });

  it("when the file is closed to writing", async () => {
    const { folder, path } = oldFile();
    chmodSync(path, 0o400);
    // Nothing is closed to root.
    if (process.getuid?.() === 0) await writeWhole(path, "old");
    else await expect(writeWhole(path, "new")).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    holdsOnlyOld(folder);
  });

  /** Runs a program that writes half of a file, and what it does then. */
  const half = (path: string, then: string) =>
    spawn(process.execPath, [
      ...["--import", "tsx", "--input-type=module", "-e"],
      `import { writeWhole } from ${JSON.stringify(MODULE)};
       async function* data() { yield "half"; console.log("half"); ${then}; await new Promise((r) => setTimeout(r, 60000)); }
       await writeWhole(${JSON.stringify(path)}, data());`,
    ]);

  it("when the process leaves in the middle", async () => {
    const { folder, path } = oldFile();
    const child = half(path, "process.exit(0)");
    await new Promise((resolve) => child.on("exit", resolve));
    holdsOnlyOld(folder);
  });

  it("when the process is killed; only what was gathered is left beside it", async () => {
    const { folder, path } = oldFile();
    const child = half(path, "0");
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(readdirSync(folder).length).toBe(2);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => !/^a\.txt(\.[0-9a-f]{8}\.part)?$/.test(name))).toEqual([]);
  });
});

it.runIf(LINUX)("what is no file is written to as it is: a pipe, the process's own output", () => {
  const program = join(root, "program.mjs");
  writeFileSync(
    program,
    `import { writeWhole } from ${JSON.stringify(MODULE)};
     await writeWhole("/dev/stdout", "a"); await writeWhole("/dev/fd/1", "b"); await writeWhole("/dev/null", "c");`,
  );
  const command = `"${process.execPath}" --import tsx "${program}"`;
  expect(execSync(`${command} | cat`, { encoding: "utf8" })).toBe("ab");
  // The path of the output stays the output if that is a file.
  const { folder, path } = oldFile();
  execSync(`${command} >> "${path}"`);
  expect(readdirSync(folder)).toEqual(["a.txt"]);
  expect(readFileSync(path, "utf8")).toBe("b");
});

describe("what another program has open for some moments", () => {
  const failing = (codes: string[]) => async () => {
    const code = codes.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    return "done";
  };

  it("is tried again, as often as said", async () => {
    expect(await whileHeld(failing(["EBUSY", "EPERM", "EACCES"]), 4)).toBe("done");
    await expect(whileHeld(failing(["EBUSY", "EBUSY"]), 2)).rejects.toThrow("EBUSY");
  });

  it("is not waited for where the fault is another", async () => {
    const codes = ["ENOSPC", "EBUSY"];
    await expect(whileHeld(failing(codes), 4)).rejects.toThrow("ENOSPC");
    expect(codes).toEqual(["EBUSY"]);
  });
});

describe("a folder that is filled", () => {
  it("is there whole or not at all, and only where nothing was", async () => {
    const path = join(root, "filled", "model");
    const fill = (text: string) => fillFolder(path, (partial) => writeWhole(join(partial, "a.txt"), text));
    const failing = fillFolder(path, async (partial) => {
      await writeWhole(join(partial, "a.txt"), "half");
      throw new Error("stopped");
    });
    await expect(failing).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(readdirSync(join(root, "filled"))).toEqual([]);
    mkdirSync(path);
    await fill("whole");
    expect(readdirSync(join(root, "filled"))).toEqual(["model"]);
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("whole");
    await expect(fill("other")).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      hint: expect.stringContaining("new folder"),
    });
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("whole");
  });

  it("of the system's for temporary files is removed, whatever became of the work", async () => {
    const used: string[] = [];
    const work = async (folder: string) => {
      used.push(folder);
      await writeWhole(join(folder, "deep", "a.txt"), "a");
      if (used.length > 1) throw new Error("failed");
      return 7;
    };
    expect(await inTemporaryFolder("test", work)).toBe(7);
    await expect(inTemporaryFolder("test", work)).rejects.toThrow("failed");
    expect(used.map((folder) => statSync(folder, { throwIfNoEntry: false }))).toEqual([undefined, undefined]);
  });

  it("keeps what was written last", async () => {
    const folder = join(root, "dated");
    for (const [at, name] of ["b", "c", "a"].entries()) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, "x"), "");
      utimesSync(join(folder, name), at, at);
    }
    await keepNewest(folder, 2);
    expect((await namesIn(folder)).sort()).toEqual(["a", "c"]);
    await keepNewest(join(folder, "none"), 2);
  });
});

describe("a file that lines are added to", () => {
  it("is made with its folder, and read line by line", async () => {
    const path = join(root, "journal", "lines.txt");
    const lines = async () => {
      const read: string[] = [];
      for await (const line of linesOf(path)) read.push(line);
      return read;
    };
    expect(await lines()).toEqual([]);
    await appendTo(path, "one\n");
    await appendTo(path, "two\nhal");
    expect(await lines()).toEqual(["one", "two", "hal"]);
  });
});
