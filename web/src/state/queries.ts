import { QueryClient, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Scoring } from "../../../src/results/scoring.ts";
import type { TabCheckResult } from "../../../src/results/verify.ts";
import {
  ApiError,
  type App,
  type AtlasHeadResult,
  type AtlasState,
  type ComparisonState,
  type Corpora,
  type CorpusImages,
  client,
  decodeFloats,
  type ExplainResult,
  get,
  type HeadLabels,
  type ImageInfo,
  type Insights,
  type KnowingHeads,
  type Means,
  type ModelDetail,
  type Models,
  type NeighborsResult,
  type Properties,
  post,
  type Roots,
  type SegmentResult,
  type Tokens,
  type WithoutHeads,
  type WordsResult,
} from "./api.ts";

/** Whether the same question may well be answered in a moment: the server, or a thread of it, is starting again. */
const isPassing = (error: unknown) =>
  error instanceof ApiError && ["SERVER_GONE", "THREAD_ENDED"].includes(error.problem.code);

/** What is asked for is a function of content hashes, so an answer stays right. */
export const queryClient = new QueryClient({
  defaultOptions: {
    // The server may well be this computer: whether the machine is online says nothing of it.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => isPassing(error) && failures < 2,
      retryDelay: 1000,
    },
  },
});

/**
 * Asks again for all whose key begins so. What is being asked for the first time may have been answered before whatever
 * changed, and cannot be asked again until it is there: that is waited for.
 */
export async function renew(key: string): Promise<void> {
  const asked = queryClient.getQueryCache().findAll({ queryKey: [key], fetchStatus: "fetching" });
  await Promise.allSettled(asked.map(({ promise }) => promise));
  await queryClient.invalidateQueries({ queryKey: [key] });
}

const query = (parts: Record<string, string>) => new URLSearchParams(parts).toString();

export const useApp = () =>
  useQuery({ queryKey: ["app"], queryFn: ({ signal }) => get<App>("/api/app", signal) });

export const useModels = (enabled: boolean) =>
  useQuery({ queryKey: ["models"], enabled, queryFn: ({ signal }) => get<Models>("/api/models", signal) });

/** Models that this tab fetched and keeps, where it does that by itself. */
export const useFetchedModels = () =>
  useQuery({
    queryKey: ["fetched"],
    enabled: client.fetched !== undefined,
    staleTime: 0,
    queryFn: () => client.fetched!.kept(),
  });

/** Whether a model computes rightly in this tab; measured anew whenever it is asked. */
export const useCheck = (model: string) =>
  useQuery({
    queryKey: ["check", model],
    gcTime: 0,
    staleTime: 0,
    queryFn: ({ signal }) => post<TabCheckResult>("/api/verify", { model }, signal),
  });

export const useModel = (name: string | undefined) =>
  useQuery({
    queryKey: ["model", name],
    enabled: name !== undefined,
    queryFn: ({ signal }) => get<ModelDetail>(`/api/model?${query({ name: name! })}`, signal),
  });

/** How often it is looked whether a corpus is another. */
const CORPORA_SECONDS = 20;
/** What is said over a corpus. */
const OVER_CORPORA = [
  "neighbors",
  "means",
  "without",
  "insights",
  "properties",
  "atlas",
  "corpus-images",
  "rows",
];

/** Asks again for all that was said over a corpus which grew or was pruned since. */
export function useGrownCorpora(corpora: Corpora | undefined): void {
  const known = useRef(new Map<string, string>());
  useEffect(() => {
    let isOther = false;
    for (const { name, version } of corpora?.corpora ?? []) {
      const before = known.current.get(name);
      if (version !== null) known.current.set(name, version);
      isOther ||= before !== undefined && version !== null && before !== version;
    }
    if (isOther) for (const key of OVER_CORPORA) void renew(key);
  }, [corpora]);
}

export const useCorpora = (model: string | undefined) =>
  useQuery<Corpora>({
    queryKey: ["corpora", model],
    enabled: model !== undefined,
    // What is being indexed can be searched more and more.
    // Commands may change an index too, while nobody looks.
    refetchInterval: ({ state: { data } }) =>
      data?.corpora.some(({ own, job }) => own && job !== null) ? 2000 : CORPORA_SECONDS * 1000,
    refetchOnWindowFocus: "always",
    queryFn: ({ signal }) => get<Corpora>(`/api/corpora?${query({ model: model! })}`, signal),
  });

export const useCorpusImages = (corpus: string, offset: number, limit: number, enabled: boolean) =>
  useQuery({
    queryKey: ["corpus-images", corpus, offset, limit],
    enabled,
    queryFn: ({ signal }) =>
      get<CorpusImages>(`/api/corpora/${corpus}/images?offset=${offset}&limit=${limit}`, signal),
  });

/** Factors of some images of a corpus. */
export const useRowsOf = (corpus: string, ids: readonly string[]) =>
  useQuery({
    queryKey: ["rows", corpus, ids.join()],
    enabled: ids.length > 0,
    queryFn: ({ signal }) => get<CorpusImages>(`/api/corpora/${corpus}/images?ids=${ids.join()}`, signal),
  });

export const useImage = (image: string | undefined) =>
  useQuery({
    queryKey: ["image", image],
    enabled: image !== undefined,
    queryFn: ({ signal }) => get<ImageInfo>(`/api/images/${encodeURIComponent(image!)}`, signal),
  });

/**
 * Shows the last answer while the next one comes, where that is about the same model and image (the key's first parts
 * after its name): another text or head may take a moment, but no picture ever shows what was said of another.
 */
const lastOfSame =
  (enabled: boolean, ...same: readonly unknown[]) =>
  <T>(last: T | undefined, query: { readonly queryKey: readonly unknown[] } | undefined): T | undefined =>
    enabled && same.every((part, i) => query?.queryKey[i + 1] === part) ? last : undefined;

/** What one image and one model are asked. */
export interface Subject {
  readonly model: string | undefined;
  readonly image: string | undefined;
}

export const useExplain = ({ model, image }: Subject, texts: readonly string[]) =>
  useQuery({
    queryKey: ["explain", model, image, texts],
    enabled: model !== undefined && image !== undefined && texts.length > 0,
    placeholderData: lastOfSame(texts.length > 0, model, image),
    queryFn: ({ signal }) => post<ExplainResult>("/api/explain", { model, image, texts }, signal),
  });

/** Which word looks where, through some heads. @param enabled false until what is seen first is there */
export const useWords = (
  { model, image }: Subject,
  text: string | undefined,
  how: { readonly heads: string; readonly textHeads: string; readonly corpus: string },
  enabled: boolean,
) =>
  useQuery({
    queryKey: ["words", model, image, text, how],
    enabled: enabled && model !== undefined && image !== undefined && text !== undefined,
    placeholderData: lastOfSame(text !== undefined, model, image, text),
    queryFn: ({ signal }) => post<WordsResult>("/api/words", { model, image, text, ...how }, signal),
  });

/** As many pairs of heads as the server lists. */
const MOST_PAIRS = 400;

/** Which text head meets which image head, largest first. */
export const useWordPairs = ({ model, image }: Subject, text: string, corpus: string, enabled: boolean) =>
  useQuery({
    queryKey: ["word pairs", model, image, text],
    enabled: enabled && model !== undefined && image !== undefined,
    queryFn: ({ signal }) =>
      post<WordsResult>("/api/words", { model, image, text, corpus, pairs: MOST_PAIRS }, signal),
  });

/** Every head's tokens, decoded. */
export interface TokenValues extends Omit<Tokens, "values"> {
  /** [L, H, N]: the CLS token first where there is one, then patches by row. */
  readonly values: Float32Array;
}

/** @param against a text that is taken off the first */
export const useTokens = (
  { model, image }: Subject,
  text: string | undefined,
  against: string | null = null,
) =>
  useQuery({
    queryKey: ["tokens", model, image, text, against],
    enabled: model !== undefined && image !== undefined && text !== undefined,
    placeholderData: lastOfSame(text !== undefined, model, image),
    queryFn: async ({ signal }): Promise<TokenValues> => {
      const asked = { model, image, text, against: against === null ? [] : [against] };
      const tokens = await post<Tokens>("/api/tokens", asked, signal);
      return { ...tokens, values: decodeFloats(tokens.values) };
    },
  });

export const useSegment = (
  { model, image }: Subject,
  asked: {
    readonly texts: readonly string[];
    readonly heads: string;
    readonly corpus: string;
  } & Pick<SegmentResult, "mode" | "scale">,
) =>
  useQuery({
    queryKey: ["segment", model, image, asked],
    enabled: model !== undefined && image !== undefined && asked.texts.length > 0,
    placeholderData: lastOfSame(asked.texts.length > 0, model, image),
    queryFn: ({ signal }) => post<SegmentResult>("/api/segment", { model, image, ...asked }, signal),
  });

/** How a corpus's average picture scores; asked for only where it is wanted. */
export const useMeans = (model: string, corpus: string, texts: readonly string[], wanted: boolean) =>
  useQuery({
    queryKey: ["means", model, corpus, texts],
    enabled: wanted && texts.length > 0,
    queryFn: ({ signal }) => post<Means>("/api/means", { model, corpus, texts }, signal),
  });

/** Scores without some heads. */
export const useWithout = (
  { model, image }: Subject,
  asked: {
    readonly texts: readonly string[];
    readonly heads: string;
    readonly replacement: "mean" | "zero";
    readonly corpus: string;
  },
  wanted: boolean,
) => {
  const enabled = wanted && model !== undefined && image !== undefined && asked.texts.length > 0;
  return useQuery({
    queryKey: ["without", model, image, asked],
    enabled,
    placeholderData: lastOfSame(enabled, model, image),
    queryFn: ({ signal }) => post<WithoutHeads>("/api/without", { model, image, ...asked }, signal),
  });
};

/** What neighbours are asked for. */
export interface NeighborsAsked {
  readonly corpus: string;
  readonly query: { readonly image: string } | { readonly text: string };
  readonly heads: string;
  readonly k: number;
  readonly scoring: Scoring;
  readonly seed: number;
}

export const useNeighbors = (model: string | undefined, asked: NeighborsAsked | undefined) => {
  const query = JSON.stringify(asked?.query);
  return useQuery({
    queryKey: ["neighbors", model, query, asked],
    enabled: model !== undefined && asked !== undefined,
    placeholderData: lastOfSame(asked !== undefined, model, query),
    queryFn: ({ signal }) => post<NeighborsResult>("/api/neighbors", { model, ...asked }, signal),
  });
};

export const useInsights = (model: string | undefined, corpus: string, ready: boolean) =>
  useQuery({
    queryKey: ["insights", model, corpus, ready],
    enabled: model !== undefined && ready,
    retry: false,
    queryFn: ({ signal }) =>
      get<Insights>(`/api/insights?${query({ model: model!, corpus })}`, signal).catch((error) => {
        // Images of which nothing is known have no insights; that is no failure.
        if (error instanceof ApiError && error.problem.code === "CORPUS_NOT_READY") return null;
        throw error;
      }),
  });

export const useProperties = (model: string | undefined, corpus: string, ready: boolean) =>
  useQuery({
    queryKey: ["properties", model, corpus, ready],
    enabled: model !== undefined,
    queryFn: ({ signal }) => get<Properties>(`/api/properties?${query({ model: model!, corpus })}`, signal),
  });

/** Every head at a glance, or what it would take. */
export const useAtlas = (model: string, corpus: string, ready: boolean) =>
  useQuery({
    queryKey: ["atlas", model, corpus],
    enabled: ready,
    queryFn: ({ signal }) => get<AtlasState>(`/api/atlas?${query({ model, corpus })}`, signal),
  });

/** The report of two models beside each other, or what it would take. */
export const useComparison = (
  asked: { model: string; other: string; by: "responses" | "weights"; corpus: string } | undefined,
) =>
  useQuery({
    queryKey: ["comparison", asked],
    enabled: asked !== undefined,
    queryFn: ({ signal }) => get<ComparisonState>(`/api/comparison?${query(asked!)}`, signal),
  });

/** The page of one head. While the next head's comes, the one before is not shown: it would be taken for it. */
export const useAtlasHead = (model: string, corpus: string, head: string | null, ready: boolean) =>
  useQuery(headQuery(model, corpus, head ?? "", ready && head !== null));

/** Asks for the page of a head that is likely to be opened next. */
export const expectAtlasHead = (model: string, corpus: string, head: string): void =>
  void queryClient.prefetchQuery(headQuery(model, corpus, head, true));

const headQuery = (model: string, corpus: string, head: string, enabled: boolean) => ({
  queryKey: ["atlas", model, corpus, head],
  enabled,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    get<AtlasHeadResult>(`/api/atlas/heads/${head}?${query({ model, corpus })}`, signal),
});

/** Which heads know a text, in the atlas of a model over a corpus. */
export const useKnowing = (model: string, corpus: string, text: string | null, ready: boolean) =>
  useQuery({
    queryKey: ["atlas", model, corpus, "knows", text],
    enabled: ready && text !== null,
    queryFn: ({ signal }) => post<KnowingHeads>("/api/atlas/find", { model, corpus, text }, signal),
  });

/** What heads are called, by their names. */
export type Labels = ReadonlyMap<string, string>;
const NO_LABELS: Labels = new Map();

/** What a model's heads are called; nothing as long as that is not known. */
export function useLabels(model: string): Labels {
  const { data } = useQuery({
    queryKey: ["labels", model],
    queryFn: ({ signal }) => get<HeadLabels>(`/api/labels?${query({ model })}`, signal),
    select: labelsOf,
  });
  return data ?? NO_LABELS;
}

const labelsOf = ({ heads }: HeadLabels): Labels =>
  new Map(heads.map(({ name, label }) => [name, label.label]));

/** Folders below which pictures may be chosen, and one of them. */
export const useRoots = (root: string | undefined, path: string) =>
  useQuery({
    queryKey: ["roots", root, path],
    // Pictures come and go outside of this page.
    staleTime: 5000,
    queryFn: ({ signal }) =>
      get<Roots>(`/api/roots${root === undefined ? "" : `?${query({ root, path })}`}`, signal),
  });
