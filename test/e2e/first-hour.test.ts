/**
 * The first hour of a stranger: installs the package, pastes every line of the README and of Start, brings a model and photos of
 * their own, and pastes every line that the tool suggests. The steps build on each other, as they do for the stranger. Once npm
 * has installed the package, no network but this machine's own is there, and whatever tries to reach one is noted.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { appSchema } from "../../src/results/app.ts";
import { formatNpy } from "../../src/support/npy.ts";
import * as chromium from "../../web/test/browser.ts";
import { goldenPath } from "../support/goldens.ts";
import { serveHub } from "../support/hub-server.ts";
import { COMMIT, HUB_ID, SERVED_TOKENIZER, TOKENIZER_HOME, until } from "../support/hub-world.ts";
import { freePorts, isFree, missing as nginxMissing, startNginx } from "../support/nginx.ts";
import { packForHere } from "../support/packed.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";
import { withoutProgress } from "../support/run-cli.ts";
import { writeTrueCheckpoint } from "../support/true-checkpoints.ts";
import { bareEnvironment, repositoryPath, sharedFolder } from "./cli.ts";

const run = promisify(execFile);
const shared = sharedFolder();

/** The shape of what stands for a real CLIP: its size of pictures and its vocabulary, and hardly any weights. */
const STAND_IN = {
  ...{ imageSize: 224, patchSize: 32, width: 128, layers: 2, headDim: 64, embedDim: 64 },
  text: { width: 64, heads: 1, layers: 2, vocabSize: 49408 },
};

const missing = nginxMissing ?? chromium.missing;
const skip = missing !== undefined && process.env.CI !== "true";
if (skip) console.warn(`The first hour's part behind nginx is skipped: ${missing}`);

/** Photographs of the folder; what else is in it is written where it is used. */
const READ = ["airplane.jpg", "bee.jpg", "cat.jpg", "dog.jpg", "pizza.jpg"];

let env: NodeJS.ProcessEnv;

/** What a shell makes of a line: exit code and both outputs. */
async function shell(
  line: string,
  cwd = shared(),
): Promise<{ code: number; stdout: string; stderr: string }> {
  const ran = await run("sh", ["-c", line], { cwd, env, maxBuffer: 1 << 26 }).then(
    (said) => ({ code: 0, ...said }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code: ran.code, stdout: ran.stdout, stderr: withoutProgress(ran.stderr) };
}

/** The lines below "Next:". */
const suggested = (stdout: string): string[] =>
  (stdout.split("\nNext:\n")[1] ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());

beforeAll(async () => {
  // Nothing of this project's settings; the registry's own: where it is, what signs it, what was fetched before.
  const { stdout } = await run("npm", ["config", "get", "registry", "cache"], { cwd: shared() });
  const [, registry, cache] = /registry ?= ?(\S+)[\s\S]*cache ?= ?(\S+)/.exec(stdout) ?? [];
  await mkdir(shared("home"));
  const bare = bareEnvironment(shared("home"));
  env = {
    ...Object.fromEntries(Object.entries(bare).filter(([, value]) => value !== undefined)),
    PATH: `${shared("project/node_modules/.bin")}:${process.env.PATH}`,
    NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
    npm_config_registry: registry,
    npm_config_cache: cache,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
  };
});

/** Lines of the README and of Start that are not run as they stand, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "npm install clip-interpret":
    "the first test installs the tarball: the registry has no other before it is published",
  "npm ci": "in a clone: .ci/run begins with it",
  "npm start": "in a clone, where it builds; then it is `clip-interpret serve`, which is run",
  "npm run explain": "in a clone, where it builds: .ci/run ends with it",
  "npm test": "in a clone: this is a part of it",
};
const met = new Set<string>();

/** The fenced blocks of a page: what each is, and its lines. */
const blocksOf = async (path: string) =>
  [...(await readFile(repositoryPath(path), "utf8")).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(
    ([, language, text]) => ({ language, lines: text.trimEnd().split("\n") }),
  );

/** A line opens the app: the page and its API are fetched, and Ctrl-C ends it. */
async function opens(line: string, cwd: string): Promise<void> {
  const free = await isFree(7860);
  const elsewhere = `${line.replace(/ +#.*/, "")}${line.includes(" serve") ? "" : " serve"} --port 0`;
  // In a group of its own, which Ctrl-C reaches whole, as at a terminal.
  const how = { cwd, env, detached: true, stdio: "pipe" } as const;
  const child = spawn("sh", ["-c", free ? line : elsewhere], how);
  const ended = new Promise((go) => child.once("close", go));
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (text: Buffer) => {
    stderr += text;
  });
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (text: Buffer) => {
      stdout += text;
      const [, url] = /is open at (\S+)/.exec(stdout) ?? [];
      if (url) resolve(url);
    });
    void ended.then(() => reject(new Error(`${line}: ${stderr}`)));
  });
  try {
    if (free) expect(address).toBe("http://127.0.0.1:7860/");
    expect(await (await fetch(address)).text()).toContain("<title>");
    const app = appSchema.parse(await (await fetch(new URL("/api/app", address))).json());
    expect(app.defaultModel).toBe(/--model (\S+)/.exec(line)?.[1] ?? DEFAULT_MODEL);
  } finally {
    process.kill(-child.pid!, "SIGINT");
    await ended;
  }
  expect({ line, stderr }).toEqual({ line, stderr: "" });
  await expect(fetch(address)).rejects.toThrow();
}

/** Pastes every line of a page's blocks into a shell, in order; what each printed, by line. */
async function paste(path: string, cwd: string): Promise<ReadonlyMap<string, string>> {
  const printed = new Map<string, string>();
  for (const { language, lines } of await blocksOf(path)) {
    // What else there is: printed values, looked at below, programs, which `test/docs` runs, and BibTeX.
    if (!["", "ts", "bibtex"].includes(language))
      expect({ path, language }).toEqual({ path, language: "sh" });
    if (language !== "sh") continue;
    for (const line of lines) {
      const command = line.replace(/ +#.*/, "");
      if (command in NOT_RUN) met.add(command);
      else if (command === "npx clip-interpret" || command.startsWith("clip-interpret serve"))
        await opens(line, cwd);
      else {
        const { code, stdout, stderr } = await shell(line, cwd);
        expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
        printed.set(command, stdout);
      }
    }
  }
  return printed;
}

/** What a reader has: a folder of photographs, and a hub where a small CLIP without knowledge stands for the real one. */
async function bring(folder: string): Promise<void> {
  await mkdir(join(folder, "photos"), { recursive: true });
  for (const name of READ) await cp(repositoryPath(`examples/photos/${name}`), join(folder, "photos", name));
  const stored = join(shared("a hub"), HUB_ID);
  await writeRandomCheckpoint(stored, STAND_IN, { activation: "quick_gelu" });
  const names = await readdir(stored);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(stored, name))])),
  );
  const large = names.filter((name) => name.endsWith(".safetensors"));
  const repositories = { [HUB_ID]: { commit: COMMIT, files, large }, [TOKENIZER_HOME]: SERVED_TOKENIZER };
  env = { ...env, HF_HOME: join(folder, "hf"), HF_ENDPOINT: (await serveHub(repositories)).endpoint };
}

/** What was tried to reach, beyond this machine, since it was last asked. */
async function tried(): Promise<string[]> {
  const text = await readFile(shared("tried.txt"), "utf8").catch(() => "");
  await rm(shared("tried.txt"), { force: true });
  return text.split("\n").filter(Boolean);
}

/** Without what depends on the terminal's width. */
const flat = (text: string) => text.replace(/\s+/g, " ");

describe("the first hour", { timeout: 240_000 }, () => {
  afterEach(async () => expect(await tried()).toEqual([]));

  it("begins with an install from the tarball into an empty folder, as npm does by default", async () => {
    const tarball = await packForHere(shared());
    await mkdir(shared("project"));
    const installed = await shell(`npm install ${tarball}`, shared("project"));
    expect(installed.stdout).toMatch(/added \d+ packages/);
    // Newer npm names what has an install script and does not run it: the optional msgpackr-extract, which BullMQ does without.
    const said = installed.stderr.split("\n").filter((line) => !line.startsWith("npm warn install-scripts"));
    expect(said.join("\n")).not.toMatch(/warn|error/i);
    // ONNX Runtime is the one that came along.
    expect(await readdir(shared("project/node_modules"))).not.toContain("onnxruntime-node");
    const explained = await shell("clip-interpret explain --json");
    expect(JSON.parse(explained.stdout).origin.program).toBe("clip-interpret");
  });

  it("goes on without a network: what tries to reach one fails, and is noted", async () => {
    env = {
      ...env,
      NODE_OPTIONS: `--require=${repositoryPath("test/support/watch-connections.cjs")}`,
      WATCH_CONNECTIONS: shared("tried.txt"),
      CLOSED_NETWORK: "1",
      // npm's own question whether there is a newer npm.
      npm_config_update_notifier: "false",
    };
    const fetched = await shell(
      `node -e "fetch('http://192.0.2.1/').catch((e) => console.log(e.cause.code))"`,
    );
    expect(fetched.stdout).toBe("ENETUNREACH\n");
    expect(await tried()).toEqual(["192.0.2.1:80"]);
    const pull = spawn("sh", ["-c", "exec clip-interpret pull ViT-B-32/openai"], {
      cwd: shared(),
      env,
      stdio: "ignore",
    });
    await until(() => existsSync(shared("tried.txt")));
    pull.kill("SIGKILL");
    await new Promise((go) => pull.once("close", go));
    expect(await tried()).toContain("huggingface.co:443");
  });

  it("every line of the README runs, and prints what stands there", { timeout: 600_000 }, async () => {
    const folder = shared("project/readme");
    await bring(folder);
    await writeFile(join(folder, "texts.json"), JSON.stringify(["a monkey", "a red background"]));
    const pixels = { shape: [1, 3, 64, 64], data: new Float32Array(3 * 64 * 64).fill(0.5) };
    await writeFile(join(folder, "pixels.npy"), formatNpy(pixels));
    const printed = await paste("README.md", folder);
    expect(printed.size).toBeGreaterThan(25);
    const [{ lines }] = (await blocksOf("README.md")).filter(({ language }) => language === "");
    // Line by line, less those that `…` stands for; the error is rounding, which differs between processors.
    const comparable = (line: string) => line.replace(/\(error [\d.]+e-[78]\)/, "(error)");
    const [heading, ...parts] = lines.map(comparable);
    const gap = parts.findIndex((line) => line.trim() === "…");
    const [above, below] = [parts.slice(0, gap), parts.slice(gap + 1)];
    const [, from] = printed.get("npx clip-interpret explain")!.split(`${heading}\n`);
    const rows = from.split("\n\n")[0].trimEnd().split("\n").map(comparable);
    expect([rows.slice(0, above.length), rows.slice(-below.length)]).toEqual([above, below]);
  });

  it("every line of Start runs, and says what stands there", { timeout: 600_000 }, async () => {
    const folder = shared("project/start");
    await bring(folder);
    const printed = await paste("docs/start.md", folder);
    expect(printed.size).toBeGreaterThan(12);
    const start = flat(await readFile(repositoryPath("docs/start.md"), "utf8"));
    const [, common] = /how much more often than all: "(background red [^"]+)"/.exec(start)!;
    const [line, found] = [...printed].find(([command]) => command.endsWith("--out red.html"))!;
    expect(flat(found)).toContain(common);
    expect(flat(await readFile(join(folder, "red.html"), "utf8"))).toContain(common);
    // "Ask `L3.H1` the same, and it says that there is nothing."
    const other = await shell(line.replace("L0.H1", "L3.H1").replace(/ --out.*/, ""), folder);
    expect(flat(other.stdout)).toContain("is not more frequent among these than chance allows");
    expect([...met].sort()).toEqual(Object.keys(NOT_RUN).sort());
  });

  it("goes on with a model and photos of one's own: everything is taken in or counted", async () => {
    await writeTrueCheckpoint(shared("my model"), { name: "mine", shape: "ViT-B-32", dtype: "F16" });
    const photos = shared("my photos/summer");
    await mkdir(join(photos, "@eaDir/cat.jpg"), { recursive: true });
    for (const name of READ) await cp(repositoryPath(`examples/photos/${name}`), join(photos, name));
    await cp(join(photos, "cat.jpg"), join(photos, "@eaDir/cat.jpg/SYNOPHOTO_THUMB_M.jpg"));
    await cp(join(photos, "bee.jpg"), join(photos, ".trashed-bee.jpg"));
    await cp(repositoryPath("examples/photos/coffee.jpg"), join(photos, "no extension"));
    await cp(goldenPath("pictures/photo.heic"), join(photos, "IMG_0001.HEIC"));
    await cp(goldenPath("pictures/bits-32.bmp"), join(photos, "scan.bmp"));
    await writeFile(join(photos, "picture.jp2"), Buffer.from("0000000c6a5020200d0a870a", "hex"));
    await writeFile(join(photos, "notes.txt"), "not a picture");
    await writeFile(join(photos, "cut off.jpg"), (await readFile(join(photos, "dog.jpg"))).subarray(0, 900));
    await run("mkfifo", [join(photos, "pipe.jpg")]);

    const { code, stdout, stderr } = await shell(
      `clip-interpret index "my photos" --out "my photos.index" --model "my model"`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first] = stdout.split("\n");
    // Those of the list, the one without an extension, the HEIC and the BMP.
    expect(first).toContain(`${READ.length + 3} images`);
    expect(stdout).toContain("1 .jp2");
    expect(stdout).toContain("1 .txt");
    expect(stdout).toMatch(/hidden/);
    expect(stdout).toMatch(/could not be indexed/);

    const lines = suggested(stdout);
    expect(lines).toHaveLength(1);
    for (const line of lines) {
      const followed = await shell(line);
      expect({ line, code: followed.code, stderr: followed.stderr }).toEqual({ line, code: 0, stderr: "" });
    }
    expect(await readFile(shared("near.html"), "utf8")).toContain("data:image/png;base64");
  });

  describe.skipIf(skip)("in the browser, behind nginx", () => {
    let served: ChildProcess;
    let nginx: ChildProcess;
    let outside = "";

    beforeAll(async () => {
      if (missing !== undefined) throw new Error(missing);
      const [inner, outer] = await freePorts(2);
      outside = `http://clip.localhost:${outer}`;
      const options = ["--port", `${inner}`, "--origin", outside, "--index", "my photos.index"];
      served = spawn(shared("project/node_modules/.bin/clip-interpret"), ["serve", ...options], {
        cwd: shared(),
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise<void>((resolve, reject) => {
        served.stdout!.on("data", (text: Buffer) => String(text).includes(" is open at ") && resolve());
        served.on("exit", () => reject(new Error("serve ended")));
      });
      const block = /```nginx\n(.*?)```/s.exec(await readFile(repositoryPath("docs/app.md"), "utf8"))![1];
      await mkdir(shared("nginx"));
      nginx = await startNginx(
        shared("nginx"),
        new Map([[outer, block.replace("http://127.0.0.1:7860", `http://127.0.0.1:${inner}`)]]),
      );
    }, 60_000);
    afterAll(async () => {
      const ended = [nginx, served].map((child) => child && new Promise((go) => child.once("exit", go)));
      nginx?.kill("SIGQUIT");
      served?.kill("SIGINT");
      await Promise.all(ended);
    });

    it("a photo of one's own scores as on the command line, and finds its neighbours in the index", async () => {
      const browser = await chromium.launch();
      try {
        const { page, complaints } = await chromium.openPage(browser, outside);
        // The first picture is one's own, not an example.
        await page.goto(outside);
        const corpus = "my-photos-index";
        await page.locator(`img[src*="${corpus}"]`).first().waitFor();
        await page.getByLabel("A picture from a file").setInputFiles(shared("my photos/summer/cat.jpg"));
        await page.waitForURL(/look\?.*image=upload%3A[0-9a-f]{64}/);
        await page.getByLabel("Add a text").fill("a cat");
        await page.keyboard.press("Enter");
        await chromium.painted(page);
        const asked = await shell(
          `clip-interpret explain "my photos/summer/cat.jpg" --text "a cat" --model "my model" --json`,
        );
        const { similarity } = JSON.parse(asked.stdout).texts[0];
        const shown = (await page.getByTestId("score").textContent()) ?? "";
        expect(Number(shown.replace("−", "-"))).toBeCloseTo(similarity, 4);
        // Nothing is known of the photos, so heads are asked; the index is ready, and the first that is searched.
        await page.getByRole("link", { name: "Neighbours" }).click();
        await page.getByRole("heading", { name: /^Nearest to this picture/ }).waitFor();
        const found = page.locator(`.thumbs img[src*="${corpus}"]`);
        await found.first().waitFor();
        expect(await found.count()).toBeGreaterThan(READ.length);
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    });
  });

  it("model, photos and index move together, and all works as before", async () => {
    await mkdir(shared("elsewhere"));
    for (const name of ["my model", "my photos", "my photos.index"])
      await rename(shared(name), shared(`elsewhere/${name}`));
    const asked = await shell(
      `clip-interpret neighbors --index "my photos.index" --heads last4 --image "my photos/summer/bee.jpg" --out near.html --json`,
      shared("elsewhere"),
    );
    expect({ code: asked.code, stderr: asked.stderr }).toEqual({ code: 0, stderr: "" });
    const { searched, excluded } = JSON.parse(asked.stdout);
    expect({ searched, excluded }).toEqual({ searched: READ.length + 2, excluded: 1 });
    const again = await shell(
      `clip-interpret index "my photos" --out "my photos.index" --json`,
      shared("elsewhere"),
    );
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(again.stdout)).toMatchObject({ images: READ.length + 3, added: 0, removed: [] });
  });

  it("a drive that drops stops the work with a word, and nothing is lost when it is back", async () => {
    const index = `clip-interpret index "my photos" --out "my photos.index"`;
    await rename(shared("elsewhere/my photos"), shared("unplugged"));
    const gone = await shell(index, shared("elsewhere"));
    expect(gone).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^error (SOURCE_GONE|INPUT_NOT_FOUND): /),
    });
    const drawn = await shell(
      `clip-interpret neighbors --index "my photos.index" --heads last4 --text "a bee" --out near.html`,
      shared("elsewhere"),
    );
    expect(drawn).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning IMAGES_MISSING: [^\n]+\n$/),
    });
    await rename(shared("unplugged"), shared("elsewhere/my photos"));
    const back = await shell(`${index} --json`, shared("elsewhere"));
    expect({ code: back.code, stderr: back.stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(back.stdout)).toMatchObject({ images: READ.length + 3, added: 0, removed: [] });
  });
});
