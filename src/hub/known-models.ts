import type { Activation } from "../checkpoint/model-config.ts";
import { unsupported, whyNameRefused } from "../checkpoint/open-clip-options.ts";

/** What is known of a model on the hub before anything of it is fetched. */
export interface KnownModel {
  /** OpenCLIP's name for it: architecture and tag. An `openai` or `quickgelu` in it says that it needs QuickGELU. */
  readonly name: string;
  /** The repository on the hub. */
  readonly hubId: string;
  readonly licence: string;
  /**
   * Size of the weights file in MB (10^6 bytes): four bytes a parameter, so approximate; what the hub says
   * counts when it is fetched.
   */
  readonly approximateMegabytes: number;
  readonly layers: number;
  readonly heads: number;
  readonly patch: number;
  readonly imageSize: number;
  readonly trainedOn: string;
  /** One of the six whose head labels and metrics Madasu et al. (2024) publish. */
  readonly paper: boolean;
}

const B32 = { approximateMegabytes: 605, layers: 12, heads: 12, patch: 32, imageSize: 224 } as const;
const B16 = { approximateMegabytes: 599, layers: 12, heads: 12, patch: 16, imageSize: 224 } as const;
const L14 = { approximateMegabytes: 1711, layers: 24, heads: 16, patch: 14, imageSize: 224 } as const;
const H14 = { approximateMegabytes: 3945, layers: 32, heads: 16, patch: 14, imageSize: 224 } as const;

const OPENAI = { licence: "MIT", trainedOn: "WIT, 400M pairs" } as const;
const LAION_2B = { licence: "MIT", trainedOn: "LAION-2B" } as const;
const DATACOMP_1B = { licence: "MIT", trainedOn: "DataComp-1B" } as const;
const APPLE = "apple-amlr";

/** The models that can be asked for by name; any other CLIP ViT on the hub can be asked for by its hub id. */
export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: "ViT-B-32/openai",
    hubId: "timm/vit_base_patch32_clip_224.openai",
    ...B32,
    ...OPENAI,
    paper: true,
  },
  {
    name: "ViT-B-32/datacomp_m_s128m_b4k",
    hubId: "laion/CLIP-ViT-B-32-DataComp.M-s128M-b4K",
    ...B32,
    licence: "MIT",
    trainedOn: "DataComp-M, 128M seen",
    paper: true,
  },
  {
    name: "ViT-B-16/openai",
    hubId: "timm/vit_base_patch16_clip_224.openai",
    ...B16,
    ...OPENAI,
    paper: true,
  },
  {
    name: "ViT-B-16/laion2b_s34b_b88k",
    hubId: "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    ...B16,
    ...LAION_2B,
    paper: true,
  },
  {
    name: "ViT-L-14/openai",
    hubId: "timm/vit_large_patch14_clip_224.openai",
    ...L14,
    ...OPENAI,
    paper: true,
  },
  {
    name: "ViT-L-14/laion2b_s32b_b82k",
    hubId: "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    ...L14,
    ...LAION_2B,
    paper: true,
  },
  {
    name: "ViT-L-14-336/openai",
    hubId: "timm/vit_large_patch14_clip_336.openai",
    ...L14,
    approximateMegabytes: 1712,
    imageSize: 336,
    ...OPENAI,
    paper: false,
  },
  {
    name: "ViT-B-32/laion2b_s34b_b79k",
    hubId: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    ...B32,
    ...LAION_2B,
    paper: false,
  },
  {
    name: "ViT-H-14/laion2b_s32b_b79k",
    hubId: "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    ...H14,
    ...LAION_2B,
    paper: false,
  },
  {
    name: "ViT-B-32/datacomp_xl_s13b_b90k",
    hubId: "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
    ...B32,
    ...DATACOMP_1B,
    paper: false,
  },
  {
    name: "ViT-B-16/datacomp_xl_s13b_b90k",
    hubId: "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    ...B16,
    ...DATACOMP_1B,
    paper: false,
  },
  {
    name: "ViT-L-14/datacomp_xl_s13b_b90k",
    hubId: "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
    ...L14,
    ...DATACOMP_1B,
    paper: false,
  },
  {
    name: "ViT-B-16-quickgelu/metaclip_400m",
    hubId: "timm/vit_base_patch16_clip_224.metaclip_400m",
    ...B16,
    licence: "CC-BY-NC-4.0",
    trainedOn: "MetaCLIP, 400M pairs",
    paper: false,
  },
  {
    name: "ViT-B-16/dfn2b",
    hubId: "apple/DFN2B-CLIP-ViT-B-16",
    ...B16,
    licence: APPLE,
    trainedOn: "DFN-2B",
    paper: false,
  },
  {
    name: "ViT-L-14-quickgelu/dfn2b",
    hubId: "apple/DFN2B-CLIP-ViT-L-14",
    ...L14,
    licence: APPLE,
    trainedOn: "DFN-2B",
    paper: false,
  },
  {
    name: "ViT-H-14-quickgelu/dfn5b",
    hubId: "apple/DFN5B-CLIP-ViT-H-14",
    ...H14,
    licence: APPLE,
    trainedOn: "DFN-5B",
    paper: false,
  },
];

/**
 * The activation that a published model's weights need, by its known name or its hub id, written exactly; undefined for
 * any other. A name that only looks like one says nothing.
 */
export function knownActivation(nameOrHubId: string): Activation | undefined {
  const known = KNOWN_MODELS.find(({ name, hubId }) => [name, hubId].includes(nameOrHubId));
  if (!known) return undefined;
  return /openai|quickgelu|dfn/.test(known.name) ? "quick_gelu" : "gelu";
}

/** A model on the hub that was asked for: by a known name, or by its id alone. */
export interface HubModel {
  /** The known name, else the id: what the model is called from here on. */
  readonly name: string;
  readonly hubId: string;
  readonly known?: KnownModel;
}

/**
 * Reads a known name or a hub id as others write them, in any case: `ViT-B-32::openai`, `ViT-B-32-quickgelu/openai`,
 * OpenAI's own `ViT-B/32` and `ViT-L/14@336px`, `hf-hub:timm/…`, the address of a page on the hub, a repository without its
 * organisation. Undefined if it is none of them, or may mean several ({@link suggestModels}).
 */
export function findHubModel(text: string): HubModel | undefined {
  const asked = withoutAddress(text);
  const same = (other: string) => other.toLowerCase() === asked.toLowerCase();
  const known =
    KNOWN_MODELS.find(({ name, hubId }) => same(name) || same(hubId)) ??
    KNOWN_MODELS.find(({ hubId }) => same(repositoryOf(hubId))) ??
    findSpelling(asked);
  if (known) return { name: known.name, hubId: known.hubId, known };
  const hubId = TRANSFORMERS_REPOSITORIES.find((id) => same(id) || same(repositoryOf(id))) ?? asked;
  return isHubId(hubId) ? { name: hubId, hubId } : undefined;
}

/** OpenAI's models in transformers' format: their own repositories on the hub, and sentence-transformers'. */
const TRANSFORMERS_REPOSITORIES = [
  ...["base-patch32", "base-patch16", "large-patch14", "large-patch14-336"].map(
    (shape) => `openai/clip-vit-${shape}`,
  ),
  ...["ViT-B-32", "ViT-B-16", "ViT-L-14"].map((shape) => `sentence-transformers/clip-${shape}`),
];

const repositoryOf = (hubId: string): string => hubId.split("/")[1] ?? hubId;

/** What is asked for: without the hub's address or OpenCLIP's prefix for it. */
const withoutAddress = (text: string): string =>
  text
    .trim()
    .replace(/^hf-hub:/i, "")
    .replace(
      /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/+([^/?#]+\/[^/?#]+)(?:[/?#].*)?$/i,
      "$1",
    );

/** Words of a name, whatever is between them. */
const wordsOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/(\d)px\b/g, "$1")
    .replace(/^-|-$/g, "");

/** The known models that a spelling means: architecture and tag in either order, with or without `quickgelu`. */
function findSpelling(asked: string): KnownModel | undefined {
  // OpenAI's own names of its models have a slash where OpenCLIP's have a dash.
  const openai = /^ViT-[BL]\/\d+(@\d+px)?$/i.test(asked) ? `${asked}-openai` : asked;
  const plain = (words: string) => words.replace(QUICKGELU, "");
  const wanted = wordsOf(openai);
  const spellings = ({ name }: KnownModel) => {
    const [architecture = "", tag = ""] = name.split("/");
    return [wordsOf(`${architecture}-${tag}`), wordsOf(`${tag}-${architecture}`)];
  };
  const exact = KNOWN_MODELS.filter((model) => spellings(model).includes(wanted));
  const loose = KNOWN_MODELS.filter((model) => spellings(model).map(plain).includes(plain(wanted)));
  return [exact, loose].find((found) => found.length === 1)?.[0];
}

/**
 * Refuses a name of OpenCLIP's, with or without its tag (`RN50/openai`), that no model which loads can have.
 * @throws `MODEL_UNSUPPORTED` with the reason, and what loads instead
 */
export function refuseName(text: string): void {
  const [architecture = ""] = withoutAddress(text).split(/\/|::?|__/);
  const why = whyNameRefused(architecture);
  if (why === undefined) return;
  const instead = ["ViT-B-32/openai", "ViT-L-14/openai", "ViT-B-16/laion2b_s34b_b88k"].join(", ");
  throw unsupported(architecture, why, {
    hint: `Take a ViT of the same makers, such as ${instead}; \`clip-interpret models\` lists more.`,
  });
}

/**
 * The known models that an unknown name may mean: those of its architecture where it is one without a tag, else
 * the few whose names are nearest; none where nothing is near.
 */
export function suggestModels(text: string): readonly KnownModel[] {
  const words = wordsOf(withoutAddress(text));
  const asked = words.replace(QUICKGELU, "");
  const architecture = ({ name }: KnownModel) => wordsOf(name.split("/")[0] ?? "").replace(QUICKGELU, "");
  const ofArchitecture = KNOWN_MODELS.filter(
    (model) =>
      architecture(model) === asked && (asked === words || knownActivation(model.name) === "quick_gelu"),
  );
  if (ofArchitecture.length > 0) return ofArchitecture;
  const ranked = KNOWN_MODELS.map((model) => {
    const names = [model.name, model.hubId, repositoryOf(model.hubId), architecture(model)];
    return { model, distance: Math.min(...names.map((name) => editDistance(asked, wordsOf(name)))) };
  }).sort((a, b) => a.distance - b.distance);
  const near = Math.min(ranked[0]!.distance + 1, Math.max(2, Math.floor(asked.length / 4)));
  return ranked
    .filter(({ distance }) => distance <= near)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ model }) => model);
}

const QUICKGELU = "-quickgelu";
const MOST_SUGGESTIONS = 4;
/** No name is longer; what is, is near none. */
const LONGEST_NAME = 80;

/** Characters to add, take away or change to make one text of another (Levenshtein). */
function editDistance(a: string, b: string): number {
  if (a.length > LONGEST_NAME) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The hub's own rule for `organisation/name`, without which an id must not become part of a path or an address. */
export const isHubId = (text: string): boolean =>
  /^[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/i.test(text) && !/--|\.\.|\.git$/.test(text);
