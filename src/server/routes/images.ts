import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { readImageSize } from "../../image/decode.ts";
import { corporaSchema, corpusImagesSchema, imageRefSchema, imageSchema } from "../../results/app.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { createGate } from "../gate.ts";
import { type AddRoutes, answers, getRoute } from "./route.ts";

const params = z.object({ image: imageRefSchema });
const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Images: those of corpora, and uploads. */
export const addImageRoutes: AddRoutes = (
  app,
  { corpora, uploads, looks, models, jobs, pictures, limits },
) => {
  app.openapi(
    getRoute("/api/corpora", "The image collections of this server", corporaSchema, {
      query: z.object({ model: z.string().max(200).optional() }),
    }),
    async (context) => {
      const model = await models.load(context.req.valid("query").model ?? models.defaultModel);
      const listed = corpora.list().map(async ({ name, title, own = false }) => {
        const opened = await corpora.open(name).catch(() => undefined);
        const found = opened && (await corpora.index(name, model).catch(() => undefined));
        const job = jobs.current("prepare", name, model.id)?.id ?? null;
        return {
          ...{ name, title, images: opened?.images.length ?? null, made: !!opened, job, own },
          ...{ indexed: found?.complete ?? false, searchable: found?.index.images.length ?? 0 },
          version: found?.version ?? null,
        };
      });
      return context.json(corporaSchema.parse({ corpora: await Promise.all(listed) }), 200);
    },
  );

  app.openapi(
    getRoute("/api/corpora/{corpus}/images", "Images of a corpus, some or named ones", corpusImagesSchema, {
      params: z.object({ corpus: z.string().max(60) }),
      query: z.object({
        offset: number(0, 1e9).default(0),
        limit: number(1, 200).default(60),
        ids: z
          .string()
          .max(4000)
          .optional()
          .describe("ids of images, with commas between; instead of offset"),
      }),
    }),
    async (context) => {
      const { corpus } = context.req.valid("param");
      const { offset, limit, ids } = context.req.valid("query");
      const { images, rows: rowsAt, find } = await corpora.open(corpus);
      const chosen =
        ids === undefined
          ? await rowsAt(Array.from({ length: limit }, (_, i) => offset + i))
          : (await Promise.all(ids.split(",").map(find))).filter((image) => image !== undefined);
      const rows = chosen.map(({ id, path, label, factors }) => ({
        image: `${corpus}:${id}`,
        path,
        label,
        factors,
      }));
      return context.json(corpusImagesSchema.parse({ total: images.length, images: rows }), 200);
    },
  );

  const inTurn = createGate(limits.picturesAtOnce);
  const describe = async (image: string) => {
    const { bytes, sha256, row } = await looks.find(image);
    const { width, height } = await readImageSize(bytes, { maxPixels: limits.pixels, name: "the picture" });
    return imageSchema.parse({
      ...{ image, sha256, bytes: bytes.length, width, height },
      ...{ path: row?.path ?? null, label: row?.label ?? null, factors: row?.factors ?? {} },
    });
  };

  app.openapi(
    getRoute("/api/images/{image}", "What is known of an image", imageSchema, { params }),
    async (context) => context.json(await inTurn(() => describe(context.req.valid("param").image)), 200),
  );

  const upload = createRoute({
    method: "post",
    path: "/api/images",
    summary: "Keep an image: the file itself is the body, or the one file of a form",
    request: {
      body: {
        required: true,
        content: {
          "application/octet-stream": {
            schema: z.any().describe("JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP or PPM"),
          },
        },
      },
    },
    responses: answers(imageSchema),
  });
  let underWay = 0;
  app.openapi(upload, async (context) => {
    // Who does not say how much will come may send as much as there may be.
    const bytes = Number(context.req.header("content-length") ?? limits.uploadBytes);
    if (bytes <= limits.uploadBytes && underWay + bytes > limits.uploadsBytes)
      throw new ClipInterpretError("SERVER_BUSY", "too many pictures are being uploaded at the moment");
    underWay += bytes;
    try {
      const sha256 = await uploads.keep(
        await fileOf(context, await readBounded(context, limits.uploadBytes)),
      );
      return context.json(await describe(`upload:${sha256}`), 200);
    } finally {
      underWay -= bytes;
    }
  });

  const file = createRoute({
    method: "get",
    path: "/api/images/{image}/file",
    summary: "The file of an image, as it was given",
    request: { params },
    responses: {
      200: { description: "the file", content: { "application/octet-stream": { schema: z.any() } } },
    },
  });
  app.openapi(file, async (context) => {
    const { image } = context.req.valid("param");
    const { bytes } = await inTurn(() => looks.find(image));
    // Saved, never shown: nothing in a file may act as a page of this server.
    return context.body(new Uint8Array(bytes), 200, {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": "attachment",
      "Cache-Control": "private, max-age=3600",
    });
  });

  const kept = new LRUCache<string, Uint8Array>({
    maxSize: 64e6,
    sizeCalculation: ({ byteLength }) => byteLength,
  });
  const picture = createRoute({
    method: "get",
    path: "/api/images/{image}/picture",
    summary: "An image as a PNG, upright: within a square, or exactly as large as is asked",
    request: {
      params,
      query: z.object({
        side: number(16, 1600).default(256),
        width: number(1, 2480).optional().describe("with `height`, instead of `side`"),
        height: number(1, 2480).optional(),
      }),
    },
    responses: { 200: { description: "PNG", content: { "image/png": { schema: z.any() } } } },
  });
  app.openapi(picture, async (context) => {
    const { image } = context.req.valid("param");
    const { side, width, height } = context.req.valid("query");
    const exact = width !== undefined && height !== undefined;
    return inTurn(async () => {
      const { bytes, sha256 } = await looks.find(image);
      const etag = `"${sha256.slice(0, 32)}-${exact ? `${width}x${height}` : side}"`;
      const headers = { ETag: etag, "Cache-Control": "private, max-age=3600", "Content-Type": "image/png" };
      if (context.req.header("if-none-match") === etag) return context.body(null, 304, headers);
      const size = exact ? { width, height } : { side };
      const png = kept.get(etag) ?? (await pictures.draw({ bytes, maxPixels: limits.pixels, size }));
      kept.set(etag, png);
      return context.body(new Uint8Array(png), 200, headers);
    });
  });
};

/** The file that was sent: the body itself, or the one file of a multipart form, which many programs send. */
async function fileOf(context: Context, body: Uint8Array): Promise<Uint8Array> {
  const type = context.req.header("content-type") ?? "";
  if (!/^multipart\/form-data\b/i.test(type)) return body;
  const form = await new Response(body as Uint8Array<ArrayBuffer>, { headers: { "content-type": type } })
    .formData()
    .catch(() => undefined);
  const files = [...(form?.values() ?? [])].filter((value) => typeof value !== "string");
  if (files.length !== 1) {
    throw new ClipInterpretError("REQUEST_INVALID", `the form holds ${files.length} files instead of one`, {
      hint: "Send the file itself as the body, or a form with one file: `curl -F file=@picture.png …/api/images`.",
    });
  }
  return new Uint8Array(await files[0]!.arrayBuffer());
}

/** A body of at most `most` bytes: one that says it is longer is refused at once, one that turns out longer when it is. */
async function readBounded(context: Context, most: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new ClipInterpretError("UPLOAD_TOO_LARGE", `the file is larger than ${(most / 1e6).toFixed(0)} MB`);
  if (Number(context.req.header("content-length") ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body = context.req.raw.body;
  if (body) {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > most) throw tooLarge();
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks);
}
