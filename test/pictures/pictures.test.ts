import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, extname, join, sep } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { GALLERIES } from "./galleries.ts";
import type { Gallery, GoldenPicture } from "./picture.ts";

/*
 * Every view, drawn from fixed data, is what is committed. `npm run pictures` draws them again; leaf through
 * README.md to see what a change did.
 */

const OUTPUT = join(import.meta.dirname, "output");
const UPDATE = process.env.UPDATE_PICTURES === "1" || process.env.MODE === "update";
const all = GALLERIES.flatMap(({ pictures }) => pictures);

describe.each(GALLERIES)("pictures of $title", ({ pictures }) => {
  test.each(pictures)("$name", async ({ name, draw }) => {
    const drawn = await draw();
    const file = join(OUTPUT, name);
    if (typeof drawn === "string") await expectText(drawn, file);
    else await expectPixels(drawn, file);
  });
});

test("every committed picture is still drawn, and each name is used once", async () => {
  const files = await readdir(OUTPUT, { recursive: true, withFileTypes: true });
  const committed = files
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(OUTPUT.length + 1)
        .replaceAll(sep, "/"),
    );
  expect(committed.sort()).toEqual(all.map(({ name }) => name).sort());
});

test("README.md shows all of them", async () => {
  await expectText(readme(GALLERIES), join(import.meta.dirname, "README.md"));
});

/** Where a drawing leaves the committed one; whole pictures are too long for a terminal. */
async function expectText(drawn: string, file: string): Promise<void> {
  await update(file, drawn);
  const golden = await readFile(file, "utf8");
  let same = 0;
  while (same < drawn.length && drawn[same] === golden[same]) same++;
  const at = (text: string) => text.slice(Math.max(0, same - 60), same + 60);
  expect(at(drawn), `${file}, character ${same}`).toBe(at(golden));
  expect(drawn.length).toBe(golden.length);
}

/** Compares decoded pixels: two encoders may compress the same picture differently. */
async function expectPixels(png: Uint8Array, file: string): Promise<void> {
  await update(file, png);
  const [drawn, golden] = await Promise.all([png, await readFile(file)].map(pixelsOf));
  expect(drawn.info).toEqual(golden.info);
  let different = 0;
  for (let i = 0; i < drawn.data.length; i++) if (drawn.data[i] !== golden.data[i]) different++;
  expect(different, "channels that differ").toBe(0);
}

async function update(file: string, drawn: string | Uint8Array): Promise<void> {
  if (!UPDATE) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, drawn);
}

async function pixelsOf(png: Uint8Array) {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, info: { width: info.width, height: info.height } };
}

function readme(galleries: readonly Gallery[]): string {
  const sections = galleries.map(
    ({ title, pictures }) => `## ${title}\n\n${pictures.map(entry).join("\n\n")}`,
  );
  return `# Pictures\n\nEvery view in the states that matter, drawn from fixed data by \`pictures.test.ts\`. \`npm run pictures\` draws them\nagain; a change that was not meant shows here.\n\n${sections.join("\n\n")}\n`;
}

function entry({ name, shows }: GoldenPicture): string {
  const file = `output/${name}`;
  const picture = [".svg", ".png"].includes(extname(name)) ? `\n\n![${name}](${file})` : "";
  return `[${name}](${file}): ${shows}${picture}`;
}
