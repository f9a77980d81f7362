import type { z } from "zod";
import type { ImageInfo, JobView, Problem } from "../../../src/results/app.ts";
import type { modelsResultSchema } from "../../../src/results/models.ts";
import type { Client } from "./client.ts";
import { VIEWS } from "./views.ts";

export type {
  AddedCorpus,
  App,
  ChangedCorpora,
  ComparisonState,
  Corpora,
  CorpusImage,
  CorpusImages,
  ImageInfo,
  Insights,
  Means,
  ModelDetail,
  Problem,
  Properties,
  Roots,
  Tokens,
  WithoutHeads,
} from "../../../src/results/app.ts";
export type {
  AtlasEntry,
  AtlasHeadResult,
  AtlasLabel,
  AtlasMetric,
  AtlasMetricWords,
  AtlasResult,
  AtlasShown,
  AtlasState,
  HeadLabels,
  KnowingHeads,
} from "../../../src/results/atlas.ts";
export type { ExplainResult } from "../../../src/results/explain.ts";
export type { SegmentResult } from "../../../src/results/segment.ts";
export type { CommonValue } from "../../../src/results/shapes.ts";
export type { WordsResult } from "../../../src/results/words.ts";
export type Models = z.infer<typeof modelsResultSchema>;
export type { NeighborsResult } from "../../../src/results/neighbors.ts";
export type Job = JobView;

/** A request that failed, with what to do about it. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** This tab, so that the server lets tabs take turns. */
const TAB = crypto.getRandomValues(new Uint32Array(2)).join("-");

/** Where something of the server is: relative, as the app may lie below a path. Every view is one step below it. */
export const here = (path: `/${string}`): string => path.slice(1);

/** The server that the page came from. */
const server: Client = {
  hasJobs: true,
  takesFolders: false,
  views: VIEWS,
  async ask(method, path, body, signal) {
    const isFile = body instanceof Blob;
    const type = isFile ? "application/octet-stream" : "application/json";
    let response: Response;
    try {
      response = await fetch(here(path), {
        method,
        headers: { "x-client": TAB, ...(body !== undefined && { "content-type": type }) },
        ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new ApiError({
        code: "SERVER_GONE",
        message: "The server does not answer.",
        hint: "Start it again with `clip-interpret serve`; this page goes on by itself.",
      });
    }
    const json = (await response.json().catch(() => undefined)) as { error?: Problem } | undefined;
    if (!response.ok || json === undefined) {
      const unknown = {
        code: `HTTP ${response.status}`,
        message: "The answer makes no sense.",
        hint: "Try again.",
      };
      throw new ApiError(json?.error ?? unknown);
    }
    return json;
  },
  listen({ job, gone, there }) {
    const events = new EventSource(here("/api/jobs/events"));
    events.addEventListener("job", ({ data }) => job(JSON.parse(String(data)) as Job));
    events.addEventListener("open", there);
    events.addEventListener("error", gone);
    return () => events.close();
  },
  pictureUrl: (image, size) =>
    here(
      `/api/images/${encodeURIComponent(image)}/picture?${
        typeof size === "number" ? `side=${size}` : `width=${size.width}&height=${size.height}`
      }`,
    ),
  fileUrl: (image) => here(`/api/images/${encodeURIComponent(image)}/file`),
};

/** Who answers this page; the server, unless {@link answerBy} said otherwise before anything was asked. */
export let client: Client = server;

/** Has another answer. */
export function answerBy(other: Client): void {
  client = other;
}

const ask = async <T>(...asked: Parameters<Client["ask"]>): Promise<T> => (await client.ask(...asked)) as T;

/** Asks for something. */
export const get = <T>(path: `/${string}`, signal?: AbortSignal): Promise<T> =>
  ask<T>("GET", path, undefined, signal);

/** Sends JSON. */
export const post = <T>(path: `/${string}`, body: unknown, signal?: AbortSignal): Promise<T> =>
  ask<T>("POST", path, body, signal);

/** Sends JSON in the place of what was there. */
export const put = <T>(path: `/${string}`, body: unknown): Promise<T> => ask<T>("PUT", path, body);

/** Takes something away. */
export const remove = <T>(path: `/${string}`): Promise<T> => ask<T>("DELETE", path);

/** Uploads an image file. */
export const upload = (file: Blob): Promise<ImageInfo> => ask("POST", "/api/images", file);

export const cancelJob = (id: string): Promise<Job> => remove(`/api/jobs/${id}`);

/** Where the pixels of an image are, within a square or exactly in a size. */
export const pictureUrl: Client["pictureUrl"] = (image, size) => client.pictureUrl(image, size);

/** Where the file of an image is, as it was given. */
export const fileUrl: Client["fileUrl"] = (image) => client.fileUrl(image);

/** The float32 values of an answer's base64. */
export function decodeFloats(base64: string): Float32Array {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
