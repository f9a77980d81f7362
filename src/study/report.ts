/** What a study found, as plain data: everything that its report shows, and where every number comes from. */
import type { Baseline, MetricIntervals } from "../labeling/baselines.ts";
import type { Calibration } from "../labeling/calibration.ts";
import type { GroupMetrics, Metrics } from "../labeling/metrics.ts";
import type { SizeComparison } from "../labeling/size-comparison.ts";
import type { Interval } from "../math/intervals.ts";

/** A study of several models. */
export interface StudyReport {
  readonly format: "clip-interpret-study";
  readonly version: 1;
  /** The program that computed it: its version, and SHA-256 of its modules. */
  readonly code: { readonly version: string; readonly sha256: string };
  readonly settings: StudySettings;
  readonly models: readonly StudyModel[];
  readonly sizes: SizeComparison;
  /** Over the heads of all models whose images have known factors; null where none have. */
  readonly calibration: Calibration | null;
  /** The six models of the paper. */
  readonly published: readonly PublishedRow[];
}

/** How a study was made; with the inputs' hashes this fixes every number. */
export interface StudySettings {
  /** Which heads, as a user writes them. */
  readonly heads: string;
  /** Texts that TEXTSPAN chooses; the first five make the label. */
  readonly iterations: number;
  /** Parts that the images are dealt into. */
  readonly blocks: number;
  /** Times that the blocks were drawn anew. */
  readonly resamples: number;
  /** Draws of each baseline, and permutations of the calibration. */
  readonly draws: number;
  /** Permutations of the selectivity baseline. */
  readonly permutations: number;
  readonly seed: number;
}

/** One model of a study. */
export interface StudyModel {
  readonly name: string;
  /** What must be said first: what kind of model this is, or that its numbers are approximate. */
  readonly notice: string | null;
  readonly shape: ModelShape;
  readonly inputs: ModelInputs;
  readonly metrics: Metrics;
  readonly byLayer: readonly GroupMetrics[];
  readonly byProperty: readonly GroupMetrics[];
  /** Where each metric lies when the images are drawn anew. */
  readonly resampled: MetricIntervals;
  readonly baselines: Readonly<Record<Baseline, MetricIntervals>>;
  /** [6]: the chance that the most frequent tag of five random texts of the pool occurs 0 … 5 times. */
  readonly chanceCcs: readonly number[];
  /** Null where nothing is known of the images. */
  readonly calibration: Calibration | null;
  readonly heads: readonly StudyHead[];
}

/** How large a model is. */
export interface ModelShape {
  readonly layers: number;
  readonly headsPerLayer: number;
  readonly width: number;
  readonly patch: number;
  readonly imageSize: number;
  /** Weights of the image transformer's layers. */
  readonly size: number;
  readonly trainedOn: string | null;
}

/** What a model's numbers follow from, by SHA-256. */
export interface ModelInputs {
  readonly weights: string;
  /** Of the index's files. */
  readonly index: string;
  readonly images: number;
  readonly pool: {
    readonly name: string;
    readonly hash: string;
    readonly texts: number;
    /** How many texts have each tag, most first. */
    readonly tags: readonly { readonly tag: string; readonly texts: number }[];
  };
  readonly labeller: string;
  readonly judge: string;
}

/** One head of a model. */
export interface StudyHead {
  readonly head: string;
  readonly label: string;
  readonly ccs: number;
  /** Share of resamples of the images that gave it the same label. */
  readonly sameLabel: number;
  readonly ccsResampled: Interval;
  readonly descriptions: readonly StudyDescription[];
  readonly totalVariance: number;
  readonly rank: number;
  /** ε² of every known factor; empty where none is known. */
  readonly selectivity: readonly HeadSelectivity[];
  /** The images whose contribution of this head lies most along its first description. */
  readonly images: readonly StudyImage[];
}

/** A text that describes a head. */
export interface StudyDescription {
  readonly text: string;
  readonly property: string | null;
  /** Share of the head's variance. */
  readonly explained: number;
  /** Whether it fits the label; null for texts after the fifth, which nobody judges. */
  readonly fits: boolean | null;
}

/** What one factor explains of a head's variance. */
export interface HeadSelectivity {
  readonly factor: string;
  readonly share: number;
  /** Whether it is above every permutation. */
  readonly significant: boolean;
}

/** An image of the index. */
export interface StudyImage {
  readonly path: string;
  readonly label: string | null;
  readonly score: number;
  readonly sha256: string;
}

/** One of the paper's six models: what is printed, and what its published labels give. */
export interface PublishedRow {
  readonly model: string;
  readonly trainedOn: string | null;
  readonly layers: number;
  readonly patch: number;
  readonly heads: number;
  readonly printed: { readonly entanglement: number | null; readonly association: number | null };
  /** Heads of CCS 5, 3 and at most 1 as printed. */
  readonly consistency: { readonly high: number; readonly moderate: number; readonly low: number };
  readonly computed: Pick<Metrics, "entanglement" | "duplicates" | "prefix">;
}
