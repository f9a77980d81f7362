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

/** A model on the hub that was asked for: by a known name, or by its id alone. */
export interface HubModel {
  /** The known name, else the id: what the model is called from here on. */
  readonly name: string;
  readonly hubId: string;
  readonly known?: KnownModel;
}

/**
 * Reads a known name or a hub id, in any case, also as OpenCLIP writes them (`ViT-B-32:openai`,
 * `hf-hub:timm/…`); undefined if it is neither.
 */
export function findHubModel(text: string): HubModel | undefined {
  const asked = text.replace(/^hf-hub:/, "").replace(/^([\w-]+):([\w-]+)$/, "$1/$2");
  const same = (other: string) => other.toLowerCase() === asked.toLowerCase();
  const known = KNOWN_MODELS.find(({ name, hubId }) => same(name) || same(hubId));
  if (known) return { name: known.name, hubId: known.hubId, known };
  return isHubId(asked) ? { name: asked, hubId: asked } : undefined;
}

/** The hub's own rule for `organisation/name`, without which an id must not become part of a path or an address. */
export const isHubId = (text: string): boolean =>
  /^[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/i.test(text) && !/--|\.\.|\.git$/.test(text);
