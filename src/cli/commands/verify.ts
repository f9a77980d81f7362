import { type Command, Option } from "commander";
import { loadSuite, SUITES, type SuiteName } from "../../analysis/verify/suite.ts";
import { countParameters, verifyModel } from "../../analysis/verify/verify.ts";
import { findPublished } from "../../labels/published.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { createModelLoader, isEmbedded } from "../../model/registry.ts";
import { verifyResultSchema } from "../../results/verify.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { verifyText } from "../verify-text.ts";

/** `verify [MODEL]`: the first thing to run after `pull`. Exit code 1 when the model's numbers must not be used. */
export const registerVerify: Register = (program, run) => {
  program
    .command("verify")
    .description("check a model: sums, same bits in any batch, whether it names a few pictures, speed")
    .argument("[model]", "as for --model")
    .addOption(
      new Option(
        "--pictures <name>",
        "what to try it on; default: scenes for embedded models, else photos",
      ).choices(SUITES),
    )
    .action(
      run(async (context, name: string | undefined, options: { pictures?: SuiteName }, _command: Command) => {
        const { globals, models, report, signal, result } = context;
        const model = await models.load(name ?? globals.model);
        const suite = await loadSuite(options.pictures ?? (isEmbedded(model.name) ? "scenes" : "photos"));
        const found = await withReference(context, model, name ?? globals.model, (reference) =>
          verifyModel(model, suite, { report, signal, ...(reference && { reference }) }),
        );
        const json = verifyResultSchema.parse({
          model: model.name,
          precision: model.precision,
          device: model.device,
          architecture: architectureOf(model),
          pictures: suite.name,
          checks: found.checks,
          imagesPerSecond: found.imagesPerSecond,
          guesses: found.pictures,
          published: (await findPublished(model.name, model.config)) ?? null,
        });
        result(json, () => verifyText(json));
        const failed = found.checks.filter(({ status }) => status === "fail");
        if (failed.length > 0) {
          const names = failed.map((check) => check.name).join(", ");
          throw new ClipInterpretError("VERIFY_FAILED", `${model.name} failed: ${names}`);
        }
      }),
    );
};

/** The same model in float32 on the CPU beside one that is not; loaded only then. */
async function withReference<T>(
  { globals }: CommandContext,
  model: ClipModel,
  name: string,
  work: (reference: ClipModel | undefined) => Promise<T>,
): Promise<T> {
  if (model.device === "cpu" && model.precision === "fp32") return work(undefined);
  const { threads, activation } = globals;
  const exact = createModelLoader({ threads, ...(activation && { activation }) });
  try {
    return await work(await exact.load(name));
  } finally {
    await exact.release();
  }
}

function architectureOf({ config }: ClipModel) {
  const { layers, heads, headDim, patchSize, imageSize, activation } = config.vision;
  const parameters = countParameters(config);
  return { layers, heads, headDim, patchSize, imageSize, embedDim: config.embedDim, activation, parameters };
}
