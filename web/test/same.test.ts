import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { displayPicture } from "../../src/image/display.ts";
import { encodePng } from "../../src/image/encode.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { type ExplainResult, explainResultSchema } from "../../src/results/explain.ts";
import { type SegmentResult, segmentResultSchema } from "../../src/results/segment.ts";
import { pixelSize } from "../../src/views/kit/panel.ts";
import { imageTitle } from "../../src/views/kit/text.ts";
import { lookPictures, lookSvg } from "../../src/views/look/svg.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { post, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { runHere } from "../../test/support/run-cli.ts";
import { end, launch, openPage, saved, skip } from "./browser.ts";

/*
 * The command, the page and the files that each saves say the same of an image: the same numbers and the same pixels.
 */

const TEXTS = ["a monkey", "a purple background", "a palm tree"];
let server: TestServer;
let browser: Browser;
let image: string;

/** A result whose image has one name, whoever was asked. */
const nameless = <R extends ExplainResult | SegmentResult>(result: R): R => ({
  ...result,
  origin: { ...result.origin, image: { ...result.origin.image, name: "image", label: null } },
});

const command = async (...args: string[]) => {
  const { code, stdout, stderr } = await runHere(...args, "--model", DEFAULT_MODEL, "--json");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
};
const served = async (path: string, request: object) =>
  (await post(server.url, path, { model: DEFAULT_MODEL, image, ...request })).json();
const textArgs = TEXTS.flatMap((text) => ["--text", text]);

/** An SVG without the image's name, with what its pictures show instead of how they are packed. */
async function shown(svg: string): Promise<string[]> {
  const [, metadata] = /<metadata>(.*?)<\/metadata>/.exec(svg)!;
  const origin = JSON.parse(metadata.replaceAll("&quot;", '"'));
  const title = imageTitle(origin);
  let same = svg.replaceAll(metadata, JSON.stringify(nameless({ origin } as SegmentResult)));
  same = same.replaceAll(`in ${title},`, "in image,").replaceAll(`${title} seen by`, "image seen by");
  for (const [uri, base64] of svg.matchAll(/data:image\/png;base64,([A-Za-z0-9+/=]+)/g)) {
    const picture = sharp(Buffer.from(base64, "base64")).removeAlpha().raw();
    const { data, info } = await picture.toBuffer({ resolveWithObject: true });
    const hash = createHash("sha256").update(data).digest("hex");
    same = same.replace(uri, `${info.width} × ${info.height} pixels, ${hash}`);
  }
  return same.replaceAll("><", ">\n<").split("\n");
}

const open = async (path: string) => {
  const { page, complaints } = await openPage(browser, server.url);
  onTestFinished(() => page.context().close());
  await page.goto(server.url + path);
  return { page, complaints };
};
const addressOf = (view: string, more: Record<string, string>) => {
  const query = new URLSearchParams({ image, ...more });
  for (const text of TEXTS) query.append("text", text);
  return `/${view}?${query}`;
};

describe("the command and the page", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    server = await startTestServer({}, 8);
    ({ image } = (await (await fetch(`${server.url}/api/app`)).json()).example);
    if (!skip) browser = await launch();
  }, 120_000);
  afterAll(() => end(browser, server), 120_000);

  const cases = [
    { mode: "topic", scale: "common" },
    { mode: "contrast", scale: "own" },
  ] as const;

  it.each(cases)("segment alike: $mode, $scale scale", async ({ mode, scale }) => {
    const out = join(server.cache, `${mode}-${scale}.svg`);
    const args = ["--heads", "L3", "--mode", mode, "--scale", scale, "--out", out];
    const printed = segmentResultSchema.parse(
      await command("segment", EXAMPLE_SCENE.path, ...textArgs, ...args),
    );
    const asked = { texts: TEXTS, heads: "L3", mode, scale };
    const answered = segmentResultSchema.parse(await served("/api/segment", asked));
    expect(answered).toMatchObject({ mode, scale });
    expect(nameless(answered)).toEqual(nameless(printed));
    if (skip) return;
    const { page, complaints } = await open(addressOf("segment", { heads: "L3", mode, scale }));
    await page
      .getByText(scale === "common" ? /One scale for all maps:/ : /Each map on its own scale:/)
      .waitFor();
    expect(await shown(await saved(page, "SVG"))).toEqual(await shown(await readFile(out, "utf8")));
    expect(JSON.parse(await saved(page, "JSON"))).toEqual(answered);
    expect(complaints).toEqual([]);
  });

  it("explain alike, and the page saves of its look what can be drawn from these numbers", async () => {
    const printed = explainResultSchema.parse(await command("explain", EXAMPLE_SCENE.path, ...textArgs));
    const explanation = explainResultSchema.parse(await served("/api/explain", { texts: TEXTS }));
    expect(nameless(explanation)).toEqual(nameless(printed));
    if (skip) return;
    const asked = { texts: [TEXTS[1]], heads: "L2,L3.H1", mode: "topic" };
    const segmentation = segmentResultSchema.parse(await served("/api/segment", asked));
    const look = { explanation, segmentation };
    const { page } = await open(addressOf("look", { heads: "L2,L3.H1", on: "1" }));
    await page.getByRole("heading", { name: TEXTS[1] }).waitFor();
    expect(JSON.parse(await saved(page, "JSON"))).toEqual(look);
    const { width, height } = pixelSize(segmentation);
    const pixels = await displayPicture(EXAMPLE_SCENE.path, width, height);
    const drawn = lookSvg(look, await lookPictures(look, pixels, encodePng));
    expect(await shown(await saved(page, "SVG"))).toEqual(await shown(drawn));
  });
});
