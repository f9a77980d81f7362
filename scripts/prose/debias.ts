/** Numbers of docs/debias.md that stand in no generated block. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { splitByCue } from "../../src/analysis/debias/cue-problem.ts";
import { type DebiasOptions, debias } from "../../src/analysis/debias/debias.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "../../src/analysis/debias/planted-bias.ts";
import { describeHeads } from "../../src/analysis/textspan/describe-heads.ts";
import { prepareZeroShot } from "../../src/analysis/zero-shot/problem.ts";
import { worldIndex } from "../../src/corpus/world-index.ts";
import { labelHeads } from "../../src/labeling/label-heads.ts";
import { tagJudge, tagLabeller } from "../../src/labeling/tags.ts";
import { allHeads, parseHeads } from "../../src/model/components.ts";
import { openModel } from "../../src/model/registry.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import type { Outcome, Share } from "../../src/results/accuracy.ts";
import type { DebiasResult } from "../../src/results/debias.ts";
import { indexFor } from "../../src/study/inputs.ts";
import { defaultPool, loadPool } from "../../src/text/pool.ts";
import { percent } from "../../src/views/kit/chart.ts";
import type { ProseNumber } from "./paragraphs.ts";

const page = "debias.md";

/** `debias --scenes N` of a model; the given heads are those of a set as `--heads` takes it. */
async function plantedBias(
  scenes: number,
  { heads, ...options }: DebiasOptions & { readonly heads?: string },
  name = "emoji-4x128-p8",
): Promise<DebiasResult> {
  const model = await openModel(name);
  const given = heads === undefined ? undefined : parseHeads(model, heads);
  const index = await worldIndex(model, { split: "balanced", images: scenes });
  const embed = (texts: readonly string[]) => embedTexts(model, texts);
  const grouped = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE], embed });
  const problem = splitByCue(grouped, PLANTED_CUE);
  const probes = await cueProbes(model, problem, [], embed);
  const result = await debias(model, problem, { ...options, ...(given && { given }), cueProbes: probes });
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

/** What heads come to that have the cue as their label, and the used ones where nothing takes their place. */
export async function otherSets(): Promise<ProseNumber[]> {
  const heads = (await headsLabelled("background")).join(",");
  const share = ({ share, low, high }: Share) => `${percent(share)} [${percent(low)}, ${percent(high)}]`;
  const given = async (options: Parameters<typeof plantedBias>[1]) => {
    const { selections, used } = await plantedBias(6000, { ...options, random: 0 });
    return selections[used].outcome.test;
  };
  const labelled = await given({ heads });
  const silent = await given({ heads: "L0.H1,L1.H0,L1.H1", replacement: "zero" });
  const { selections } = await plantedBias(6000, { random: 0 }, "emoji-6x192-p8");
  const greedy = selections.find(({ selection }) => selection === "greedy")!.outcome;
  return [
    `\`--heads background --labels labels.json\`) ${heads.replace(",", " and ")} are taken: ${share(labelled.average)} on average, worst group ${share(labelled.worst)}, ${labelled.worst.name.replace(" · ", " on ")}`,
    `the same three heads of \`emoji-4x128-p8\` give ${percent(silent.average.share)} % and ${percent(silent.worst.share)} %`,
    `of \`emoji-6x192-p8\` it reaches ${percent(greedy.validation.worst.share)} % there and ${percent(greedy.test.worst.share)} % on the other`,
  ].map((words) => ({ page, words }));
}

/** The heads that `label` calls this, over the demo corpus. */
async function headsLabelled(label: string): Promise<string[]> {
  const model = await openModel("emoji-4x128-p8");
  const pool = await loadPool(defaultPool(model.name));
  const described = await describeHeads(model, await indexFor(model, {}), allHeads(model.geometry), pool, {
    iterations: 5,
  });
  await model.release();
  const { labels } = await labelHeads(described.heads, {
    ...{ model: model.name, source: "", labeller: tagLabeller(), judge: tagJudge() },
  });
  return Object.entries(labels.heads).flatMap(([name, own]) => (own.label === label ? [name] : []));
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
