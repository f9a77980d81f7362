import type { AtlasLabels } from "../analysis/atlas/labels.ts";
import type { Corpora, CorpusImages, ImageInfo, Properties } from "../results/app.ts";
import type { HeadLabels } from "../results/atlas.ts";

/** A question as it would go to the server. */
export interface Question {
  readonly method: string;
  /** `/api/explain`; of what is read, with its query. */
  readonly path: string;
  /** What is sent: plain data, or a file's bytes. */
  readonly body?: unknown;
}

/** A picture that comes with the page. */
export interface PagePicture {
  /** Its address. */
  readonly address: string;
  readonly path: string;
  readonly label: string | null;
  readonly factors: ImageInfo["factors"];
}

/** What a page was built with. */
export interface PageFacts {
  /** Another with every build that could answer otherwise. */
  readonly version: string;
  /** Answers that are the same for all visitors, by their path, as the server gave them when the page was built. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** The same of what few ask for: by their path, where the file with the answer is. */
  readonly files: Readonly<Record<string, string>>;
  /** Where the index of a corpus by a model is, by `corpus model`. */
  readonly indexes: Readonly<Record<string, string>>;
  /** Where the pool of texts is that a model's heads are compared by, by the model's name. */
  readonly pools: Readonly<Record<string, string>>;
  /** By what pages call them: `scenes:…`. */
  readonly pictures: Readonly<Record<string, PagePicture>>;
}

/** Pictures that a model is checked with. */
const CHECKED = 4;

/** The files of some pictures that came with the page, to check models with. */
export const knownPictures = (
  { pictures }: PageFacts,
  readFile: (address: string) => Promise<Uint8Array>,
): Promise<Uint8Array[]> =>
  Promise.all(
    Object.values(pictures)
      .slice(0, CHECKED)
      .map(({ address }) => readFile(address)),
  );

/** What the page knows without a model: facts of all visitors, and which pictures there are. */
export function knownAnswer(facts: PageFacts, { method, path }: Question): unknown {
  if (method !== "GET") return undefined;
  const [place = "", search = ""] = path.split("?");
  const [, corpus] = /^\/api\/corpora\/([^/]+)\/images$/.exec(place) ?? [];
  if (corpus !== undefined) return listPictures(facts.pictures, corpus, new URLSearchParams(search));
  return facts.answers[path] ?? facts.answers[place];
}

/** Which of many pictures are asked for. */
export function pageOf(query: URLSearchParams) {
  const ids = query.get("ids")?.split(",");
  const [offset, limit] = [Number(query.get("offset") ?? 0), Number(query.get("limit") ?? 60)];
  return { offset, limit, ...(ids && { ids }) };
}

/** Pictures of a corpus, some or named ones. */
function listPictures(pictures: PageFacts["pictures"], corpus: string, query: URLSearchParams): CorpusImages {
  const all = Object.entries(pictures).filter(([name]) => name.startsWith(`${corpus}:`));
  const { offset, limit, ids } = pageOf(query);
  const chosen = ids
    ? all.filter(([name]) => ids.includes(name.slice(corpus.length + 1)))
    : all.slice(offset, offset + limit);
  const images = chosen.map(([image, { path, label, factors }]) => ({ image, path, label, factors }));
  return { total: all.length, images };
}

/**
 * What a model's heads are known for from the pictures that the page came with: over others it was not measured how well they find
 * it.
 */
export function propertiesOver({ answers }: PageFacts, model: string): Properties {
  const known = Object.entries(answers).flatMap(([path, answer]) => {
    const [place, query] = path.split("?");
    const isOfModel = place === "/api/properties" && new URLSearchParams(query).get("model") === model;
    return isOfModel ? (answer as Properties).properties : [];
  });
  const byName = new Map(known.reverse().map((one) => [one.name, { ...one, precision: null }]));
  return { properties: [...byName.values()] };
}

/** What heads are called, as the server gave it. */
export function labelsOf({ answers }: PageFacts, model: string): AtlasLabels {
  const known = answers[`/api/labels?${new URLSearchParams({ model })}`] as HeadLabels | undefined;
  return Object.fromEntries((known?.heads ?? []).map(({ name, label }) => [name, label]));
}

/** What is known of a model that the page did not come with: nothing was indexed with it, named or measured. */
export function withoutIndex(facts: PageFacts, place: string, query: URLSearchParams): unknown {
  if (place === "/api/labels") return { heads: [] };
  if (place === "/api/properties") return { properties: [] };
  if (place !== "/api/corpora") return undefined;
  const [, some] = Object.entries(facts.answers).find(([path]) => path.startsWith("/api/corpora?")) ?? [];
  const { corpora } = (some as Corpora | undefined) ?? { corpora: [] };
  return {
    corpora: corpora.map((corpus) => {
      const isIndexed = facts.indexes[`${corpus.name} ${query.get("model")}`] !== undefined;
      return isIndexed ? corpus : { ...corpus, indexed: false, searchable: 0, version: null };
    }),
  } satisfies Corpora;
}
