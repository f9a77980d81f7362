import type { z } from "zod";
import type { ImageInfo, JobView, Problem } from "../../../src/results/app.ts";
import type { modelsResultSchema } from "../../../src/results/models.ts";

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
  AtlasCommon,
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

async function call<T>(path: `/${string}`, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(here(path), { ...init, headers: { "x-client": TAB, ...init.headers } });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
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
  return json as T;
}

const signalled = (signal?: AbortSignal) => (signal ? { signal } : {});

/** Asks for something. */
export const get = <T>(path: `/${string}`, signal?: AbortSignal): Promise<T> =>
  call<T>(path, signalled(signal));

/** Sends JSON. */
export const post = <T>(path: `/${string}`, body: unknown, signal?: AbortSignal): Promise<T> =>
  send<T>("POST", path, body, signal);

/** Sends JSON in the place of what was there. */
export const put = <T>(path: `/${string}`, body: unknown): Promise<T> => send<T>("PUT", path, body);

/** Takes something away. */
export const remove = <T>(path: `/${string}`): Promise<T> => call<T>(path, { method: "DELETE" });

const send = <T>(method: string, path: `/${string}`, body: unknown, signal?: AbortSignal): Promise<T> =>
  call<T>(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...signalled(signal),
  });

/** Uploads an image file. */
export const upload = (file: Blob): Promise<ImageInfo> =>
  call("/api/images", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });

export const cancelJob = (id: string): Promise<Job> => remove(`/api/jobs/${id}`);

/** Where the pixels of an image are, within a square or exactly in a size. */
export const pictureUrl = (
  image: string,
  size: number | { readonly width: number; readonly height: number },
): string =>
  here(
    `/api/images/${encodeURIComponent(image)}/picture?${
      typeof size === "number" ? `side=${size}` : `width=${size.width}&height=${size.height}`
    }`,
  );

/** Where the file of an image is, as it was given. */
export const fileUrl = (image: string): string => here(`/api/images/${encodeURIComponent(image)}/file`);

/** The float32 values of an answer's base64. */
export function decodeFloats(base64: string): Float32Array {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
