/**
 * The first hour of a stranger: installs the package, brings a model and photos of their own, and pastes every line that
 * the tool suggests. The steps build on each other, as they do for the stranger.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as chromium from "../../web/test/browser.ts";
import { goldenPath } from "../support/goldens.ts";
import { freePorts, missing as nginxMissing, startNginx } from "../support/nginx.ts";
import { packForHere } from "../support/packed.ts";
import { withoutProgress } from "../support/run-cli.ts";
import { writeTrueCheckpoint } from "../support/true-checkpoints.ts";
import { bareEnvironment, repositoryPath, sharedFolder } from "./cli.ts";

const run = promisify(execFile);
const shared = sharedFolder();

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
  const ran = await run("sh", ["-c", line], { cwd, env }).then(
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

describe("the first hour", { timeout: 240_000 }, () => {
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

  it("goes on with every line of the README and of Start here, in an empty folder", {
    timeout: 600_000,
  }, async () => {
    const linesOf = async (path: string, heading: string) => {
      const [, text] = (await readFile(repositoryPath(path), "utf8")).split(`\n## ${heading}\n`);
      const [, block] = /```sh\n([\s\S]*?)```/.exec(text) ?? [];
      return block.trim().split("\n");
    };
    const lines = [
      ...(await linesOf("README.md", "Use")),
      ...(await linesOf("docs/start.md", "2. The same in the terminal")),
      ...(await linesOf("docs/start.md", "3. Which head knows what")),
      ...(await linesOf("docs/start.md", "4. The five analyses")),
    ];
    expect(lines.length).toBeGreaterThan(25);
    await mkdir(shared("empty"));
    for (const line of lines) {
      const { code, stderr } = await shell(line, shared("empty"));
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
    }
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
