import { extname } from "node:path";
import { Option } from "commander";
import { agreementOf, joinVotes } from "../../labeling/agreement.ts";
import { estimateCost } from "../../labeling/estimate.ts";
import { drawExam, examine } from "../../labeling/exam.ts";
import { findInconsistencies } from "../../labeling/inconsistencies.ts";
import { labelHeads } from "../../labeling/label-heads.ts";
import type { Labeller } from "../../labeling/labeller.ts";
import { llmJudge, llmLabeller } from "../../labeling/llm-labeller.ts";
import { manualLabeller, requireHeads } from "../../labeling/manual.ts";
import { DESCRIPTIONS } from "../../labeling/metrics.ts";
import { publishedLabeller } from "../../labeling/published.ts";
import { hasTags, tagJudge, tagLabeller } from "../../labeling/tags.ts";
import { LABELLER_KINDS, type LabellerKind } from "../../labels/kinds.ts";
import { type HeadLabel, labelsOrigin, readLabels, writeLabels } from "../../labels/labels-file.ts";
import { labelEstimateResult, labelResult } from "../../results/label.ts";
import { originOf } from "../../results/origin.ts";
import { headNamed } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { labelsHtml } from "../../views/labels/page.ts";
import { labelsTerminal } from "../../views/labels/terminal.ts";
import { estimateInWords } from "../../views/labels/words.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { describedHeads, type LabelInput, type LabelSource } from "../label-input.ts";
import { addLlmOptions, createLlms, type LlmCliOptions, type Models, pricesOf } from "../llm-options.ts";
import { refuseOverwrite } from "../overwrite.ts";
import { collect, number, wholeNumber } from "../strings.ts";

const JUDGES = ["tags", "llm", "none"] as const;

interface LabelCliOptions extends LlmCliOptions, LabelSource {
  readonly judge?: (typeof JUDGES)[number];
  readonly estimate: boolean;
  readonly distractors: number;
  readonly priceIn?: number;
  readonly priceOut?: number;
  readonly out: readonly string[];
}

/** `label --index INDEX | --textspan FILE`: names what each head looks for. */
export const registerLabel: Register = (program, run) => {
  const command = program
    .command("label")
    .description("name what each head looks for, and say which of its descriptions fit the name")
    .option("--index <index>", "describe the heads by TEXTSPAN over an index")
    .option("--textspan <file>", "take the descriptions that `textspan --json` printed")
    .option("--heads <set>", "heads to label, with --index", "last4")
    .option("--texts <pool>", "a pool's name or file, with --index (default: the one for the model)")
    .option("--descriptions <n>", "descriptions a head", wholeNumber(1, 100), 5)
    .addOption(
      new Option(
        "--labeller <kind>",
        "who names: tags of the pool, a language model, what was published, --labels",
      )
        .choices(LABELLER_KINDS)
        .default("tags"),
    )
    .addOption(
      new Option("--judge <kind>", "who says which descriptions fit (default: as the labeller)").choices(
        JUDGES,
      ),
    )
    .option("--labels <file>", "labels by hand; they go before the labeller's")
    .option("--estimate", "print what a language model would cost, and ask nothing", false)
    .option("--out <file>", "write labels (.json) or a page (.html); once or more", collect, []);
  addLlmOptions(command)
    .option(
      "--distractors <n>",
      "questions that examine judges: texts whose property the pool's tags know",
      wholeNumber(0, 10_000),
      0,
    )
    .option("--price-in <p>", "price of a million tokens sent, for the estimate", number(0, 1e9))
    .option("--price-out <p>", "price of a million tokens answered", number(0, 1e9))
    .action(
      run(async (context, options: LabelCliOptions) => {
        for (const path of options.out) checkOut(path, options);
        const input = await describedHeads(context, options);
        const { labeller, judge, models, properties, known } = await makersOf(input, options, context);
        const questions = examOf(input, options);
        const { report, signal, say, result, streams } = context;
        const prices = pricesOf(options);
        const estimate = await estimateCost(
          input.heads,
          {
            labeller: options.labeller === "llm" ? models?.llm : undefined,
            judges: judgeOf(options, input) === "llm" ? (models?.judges ?? []) : [],
            ...{ known, questions, prompts: models?.prompts },
          },
          prices,
        );
        if (options.estimate) {
          result(labelEstimateResult(await originOf({}), estimate), () => estimateInWords(estimate));
          return;
        }
        if (models) say(estimateInWords(estimate));
        const { model, source } = input;
        const concurrency = models ? options.llmConcurrency : 1;
        const made = await labelHeads(input.heads, {
          model,
          source,
          labeller,
          judge,
          concurrency,
          keepGoing: options.keepGoing,
          report,
          signal,
        });
        const { labels, unlabelled, failed } = made;
        const byHead = Object.values(labels.heads);
        const votes = byHead.map((head) => head.judge?.votes ?? []);
        const exam =
          questions.length > 0 && judge
            ? await examine(questions, judge, { verdicts: verdictsOf(byHead), concurrency, report, signal })
            : null;
        const names = Object.fromEntries(
          Object.entries(labels.heads).map(([head, { label }]) => [head, label]),
        );
        const inconsistencies = findInconsistencies(names, properties);
        const labelled = labelResult(
          { ...input.origin, ...(options.labels && { labels: await labelsOrigin(options.labels) }) },
          {
            ...{ model, source, unlabelled, failed, inconsistencies },
            ...{ agreement: agreementOf(joinVotes(votes)), exam },
            heads: Object.entries(labels.heads).map(([name, label]) => ({ ...headNamed(name), ...label })),
            llm: models ? { estimate, ...usageOf(models, prices) } : null,
          },
        );
        for (const path of options.out) {
          if (extname(path).toLowerCase() === ".json") await writeLabels(path, labels);
          else await writeWhole(path, labelsHtml(labelled));
        }
        result(labelled, () => labelsTerminal(labelled, { columns: streams.stdout.columns ?? 100 }));
        for (const path of options.out) say(`written: ${path}`);
      }),
    );
};

/** Questions with known answers for judges. @throws `USAGE`, `TAGS_MISSING` */
function examOf(input: LabelInput, options: LabelCliOptions) {
  if (options.distractors === 0) return [];
  if (judgeOf(options, input) !== "llm")
    throw new ClipInterpretError("USAGE", "--distractors examines judges that are language models");
  return drawExam(input.texts, options.distractors);
}

/** How many verdicts that CCS counts say yes. */
function verdictsOf(heads: readonly HeadLabel[]) {
  const verdicts = heads.flatMap(({ consistent }) => consistent.slice(0, DESCRIPTIONS));
  return { hits: verdicts.filter(Boolean).length, of: verdicts.length };
}

function checkOut(path: string, { labels, textspan }: LabelCliOptions): void {
  if (![".json", ".html"].includes(extname(path).toLowerCase())) {
    throw new ClipInterpretError("USAGE", `--out ${path} is neither .json nor .html`);
  }
  for (const input of [labels, textspan]) refuseOverwrite(path, input);
}

/** Who judges when nobody is named: as the labeller, and tags for labels that were there before. */
function judgeOf(options: LabelCliOptions, { heads }: LabelInput): (typeof JUDGES)[number] {
  const { judge, labeller, judgeModel } = options;
  if (judge !== undefined) return judge;
  if (judgeModel.length > 0) return "llm";
  if (labeller === "llm" || labeller === "tags") return labeller;
  return heads.some(hasTags) ? "tags" : "none";
}

/** Labeller and judge as the options name them, and what is known of labels beforehand. */
async function makersOf(input: LabelInput, options: LabelCliOptions, { report }: CommandContext) {
  const judging = judgeOf(options, input);
  const models =
    options.labeller === "llm" || judging === "llm"
      ? await createLlms(options, options.labeller === "llm", process.env)
      : undefined;
  const byHand = options.labels === undefined ? undefined : await readLabels(options.labels, input.model);
  if (byHand) requireHeads(byHand, input.allHeads, options.labels ?? "");
  const published = options.labeller === "published" ? await publishedLabeller(input.model) : undefined;
  const labellers: Record<LabellerKind, Labeller | undefined> = {
    tags: tagLabeller(),
    llm: models && llmLabeller(models.llm, models.prompts),
    published: published?.labeller,
    manual: undefined,
  };
  const otherwise = labellers[options.labeller];
  const labeller = byHand ? manualLabeller(byHand, otherwise, report) : otherwise;
  if (!labeller) throw new ClipInterpretError("USAGE", "--labeller manual needs --labels FILE");
  return {
    labeller,
    judge:
      judging === "tags"
        ? tagJudge()
        : judging === "llm" && models
          ? llmJudge(models.judges, models.prompts)
          : undefined,
    models,
    properties: published?.published.properties ?? {},
    known: Object.fromEntries(Object.entries(byHand?.heads ?? {}).map(([head, { label }]) => [head, label])),
  };
}

/** What was asked of all models together. */
function usageOf({ llm, judges }: Models, prices: ReturnType<typeof pricesOf>) {
  const all = [...new Set([llm, ...judges])].map((one) => one.usage());
  const sum = (field: keyof (typeof all)[number]) => all.reduce((total, usage) => total + usage[field], 0);
  const [tokensIn, tokensOut] = [sum("tokensIn"), sum("tokensOut")];
  const cost = prices ? (tokensIn * prices.in + tokensOut * prices.out) / 1e6 : null;
  return { asked: sum("asked"), cached: sum("cached"), tokensIn, tokensOut, cost };
}
