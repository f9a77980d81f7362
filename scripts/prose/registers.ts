/** Numbers of docs/registers.md: outliers planted in a copy of a model. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRegisters } from "../../src/analysis/registers/registers.ts";
import { evaluateSegmentation } from "../../src/analysis/segmentation/evaluate.ts";
import { corpusMasks } from "../../src/analysis/segmentation/masked-images.ts";
import { copyCheckpoint } from "../../src/checkpoint/copy-checkpoint.ts";
import { allHeads } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { openModel } from "../../src/model/registry.ts";
import { plantOutliers } from "../../test/support/plant-outliers.ts";
import type { ProseNumber } from "./paragraphs.ts";

/** Which neuron is made to fire, and at how many patches of all scenes. */
const PLANTED = { layer: 1, neuron: 9 };
const FIRING = 12;

const page = "registers.md";
const oneDigit = (share: number) => (100 * share).toFixed(1);

/** What a planted register does, and what moving it aside does. */
export async function plantedOutliers(): Promise<ProseNumber[]> {
  const folder = await mkdtemp(join(tmpdir(), "prose-"));
  const scenes = "examples/scenes";
  try {
    const masks = await corpusMasks(scenes);
    const model = await openModel("emoji-4x128-p8");
    const trained = await findRegisters(model, join(scenes, "images"));
    await copyCheckpoint(model.checkpoint.folder, folder, model.config);
    await plantOutliers(
      folder,
      PLANTED,
      masks.images.map(({ image }) => image),
      FIRING,
    );
    const planted = await loadClipModel(folder);
    const moved = await loadClipModel(folder, undefined, { registers: [PLANTED] });
    const found = await findRegisters(planted, join(scenes, "images"), { neurons: 1 });
    const maps: Maps[] = [];
    for (const one of [model, planted, moved]) {
      const sets = [{ name: "all", set: allHeads(one.geometry) }];
      const { result } = await evaluateSegmentation(one, masks, sets, { draws: 1 });
      const of = (name: string) =>
        oneDigit(result.methods.find((method) => method.name === name)!.measures.true.meanIou.value);
      maps.push({
        predictedRight: result.predictedRight,
        images: result.images,
        all: of("all"),
        attention: of("raw attention"),
        rollout: of("attention rollout"),
      });
      await one.release();
    }
    const longest = ({ most, median }: { readonly most: number; readonly median: number }) =>
      (most / median).toFixed(1);
    const behind = ({ norms }: Pick<typeof found, "norms">) => norms.layers.at(-1)!;
    const each = (of: "all" | "attention" | "rollout") => maps.map((one) => one[of]);
    const right = maps.map(({ predictedRight, images }) => Math.round(predictedRight * images));
    const [all, attention, rollout] = [each("all"), each("attention"), each("rollout")];
    return [
      `on the ${trained.images} example scenes the longest token is ${longest(behind(trained))} times the median patch`,
      `${WORDS[found.norms.withOutliers]} of ${found.images} scenes then have patches of ${Math.round(behind(found).outliers!)} times the median norm. \`registers\` names that neuron${found.neurons[0].name === "L1.N9" ? "" : " NOT"} first of 1,024, and that they emerge behind ${found.emerge}; with the register ${found.moved!.norms.withOutliers === 0 ? "no outlier is left" : "outliers are left"} and the longest token is ${longest(behind(found.moved!))} times the median`,
      `mIoU of true classes with all heads ${all[0]} as trained, ${all[1]} with the outliers, ${all[2]} with the register; raw attention ${attention.join(", ")}; rollout ${rollout.join(", ")}`,
      `${right[0]} of ${maps[0].images} classes were right before, ${right[2]} with the register`,
    ].map((words) => ({ page, words }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is said of maps, per cent. */
interface Maps {
  readonly predictedRight: number;
  readonly images: number;
  readonly all: string;
  readonly attention: string;
  readonly rollout: string;
}

const WORDS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight"];
