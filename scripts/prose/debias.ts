/** Numbers of docs/debias.md that stand in no generated block. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { splitByCue } from "../../src/analysis/debias/cue-problem.ts";
import { type DebiasOptions, debias } from "../../src/analysis/debias/debias.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "../../src/analysis/debias/planted-bias.ts";
import { prepareZeroShot } from "../../src/analysis/zero-shot/problem.ts";
import { worldIndex } from "../../src/corpus/world-index.ts";
import { openModel } from "../../src/model/registry.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import type { Outcome } from "../../src/results/accuracy.ts";
import type { DebiasResult } from "../../src/results/debias.ts";
import { percent } from "../../src/views/kit/chart.ts";
import type { ProseNumber } from "./paragraphs.ts";

const page = "debias.md";

/** `debias --scenes N` of the default model. */
async function plantedBias(scenes: number, options: DebiasOptions): Promise<DebiasResult> {
  const model = await openModel("emoji-4x128-p8");
  const index = await worldIndex(model, { split: "balanced", images: scenes });
  const embed = (texts: readonly string[]) => embedTexts(model, texts);
  const grouped = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE], embed });
  const problem = splitByCue(grouped, PLANTED_CUE);
  const probes = await cueProbes(model, problem, [], embed);
  const result = await debias(model, problem, { ...options, cueProbes: probes });
  await model.release();
  return result;
}

const whole = (share: number) => (100 * share).toFixed(0);

/** What ways come to where images are few. */
export async function fewImages(): Promise<ProseNumber[]> {
  const { selections, used, baselines } = await plantedBias(800, { random: 0 });
  const worst = (outcome: DebiasResult["before"]) => whole(outcome.test.worst.share);
  const of = (name: string) => baselines.find(({ baseline }) => baseline === name)!;
  const [probe, leace, means] = ["linear probe", "LEACE", "mean difference"].map(of);
  const apart = [probe, leace].some(({ lead }) => lead.low > 0 || lead.high < 0);
  return [
    {
      page,
      words: `worst group ${worst(selections[used].outcome)} % by the heads, ${worst(probe.outcome)} % by the probe, ${worst(leace.outcome)} % by LEACE, ${worst(means.outcome)} % by the difference of means, and average accuracies of the first three that are ${apart ? "" : "not "}told apart`,
    },
  ];
}

/** The table of heads taken away inside the network. */
export async function insideTheNetwork(): Promise<ProseNumber[]> {
  const folder = await mkdtemp(join(tmpdir(), "prose-"));
  try {
    const { forward } = await plantedBias(6000, { fullForward: true, exports: [join(folder, "model")] });
    const [position, nothing, tokens] = ["position", "nothing", "tokens"].map((replacement) =>
      forward.find((study) => study.replacement === replacement),
    );
    if (!position || !nothing || !tokens) throw new Error("debias tells less of the network's inside");
    const [row] = position.rows;
    const { random, randomWorst } = row;
    if (!random || !randomWorst) throw new Error("no random sets were drawn");
    const { directions, heads } = row.components;
    if (directions) throw new Error("whole heads were to be taken");
    const cells = ({ accuracy, worst }: Outcome) =>
      `${percent(accuracy.share)} [${percent(accuracy.low)}, ${percent(accuracy.high)}] | ${percent(worst!.share)} |`;
    const lines = [
      `| \`emoji-4x128-p8\` without ${heads.map(({ name }) => name).join(", ")} | average | worst group |`,
      `| nothing ablated | ${cells(position.whole)}`,
      `| direct effects alone, to their means | ${cells(row.direct)}`,
      `| inside the network, to the mean at each token position | ${cells(row)}`,
      `| inside the network, to one mean over all tokens (an edited checkpoint) | ${cells(tokens.rows[0])}`,
      `| inside the network, to nothing | ${cells(nothing.rows[0])}`,
      `| inside the network, the ${random.draws} other sets in the same layers | ${percent(random.mean)} on average, best ${percent(random.most)} | ${percent(randomWorst.mean)} on average, best ${percent(randomWorst.most)} |`,
      `though less than ${Math.round((1 - random.atLeast) * random.draws)} of the ${random.draws} other sets do`,
    ];
    return lines.map((words) => ({ page, words }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
