import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { expect, it, onTestFinished } from "vitest";
import { displayPicture } from "./display.ts";
import { readMask } from "./mask.ts";
import { thumbnail } from "./thumbnail.ts";

const pictures = fileURLToPath(new URL("../../test/goldens/pictures/", import.meta.url));

it.each(["photo.heic", "plain.gif", "bits-24.bmp", "p6.ppm", "palette.tif"])(
  "%s is drawn, large and small",
  async (name) => {
    const bytes = readFileSync(pictures + name);
    const drawn = await displayPicture(bytes, 40, 30);
    expect(new Set(drawn.rgb).size).toBeGreaterThan(5);
    const small = await thumbnail(bytes, 10);
    expect(Math.max(small!.width, small!.height)).toBe(10);
  },
);

it("shows a palette's colour under transparency, as the model sees it", async () => {
  const one = { width: 21, height: 13 };
  const { rgb } = await displayPicture(`${pictures}transparent.gif`, one.width, one.height);
  const plain = await displayPicture(`${pictures}plain.gif`, one.width, one.height);
  expect([...rgb]).toEqual([...plain.rgb]);
});

it("a picture that cannot be read is told in the same words whatever is drawn of it", async () => {
  const name = "the picture";
  const heif = Buffer.from("\0\0\0\x0cJXL \r\n\x87\n", "latin1");
  await expect(displayPicture(heif, 8, 8, { name })).rejects.toThrow(
    "the picture is in a format that is not read: JPEG XL",
  );
  expect(await thumbnail(heif, 8)).toBeNull();
  await expect(displayPicture(Buffer.from("words"), 8, 8, { name })).rejects.toThrow(
    "cannot decode the picture: it does not begin as a picture does",
  );
  const large = await sharp({ create: { width: 9, height: 9, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  await expect(displayPicture(large, 8, 8, { name, maxPixels: 80 })).rejects.toMatchObject({
    code: "IMAGE_TOO_LARGE",
  });
});

it("masks are read from other formats too", async () => {
  const mask = await readMask(`${pictures}p5.pgm`);
  expect([mask.width, mask.height, mask.values[1]]).toEqual([21, 13, 7 * 16]);
  const folder = await mkdtemp(join(tmpdir(), "drawable-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "bomb.png"), claimed(60_000_000, 1));
  await expect(readMask(join(folder, "bomb.png"))).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
});

/** The first bytes of a PNG that claims a size. */
function claimed(width: number, height: number): Buffer {
  const bytes = Buffer.from(readFileSync(`${pictures}pole.png`));
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}
