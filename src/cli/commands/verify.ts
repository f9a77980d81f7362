import { type Command, Option } from "commander";
import { loadSuite } from "../../analysis/verify/suite.ts";
import { verifyModel } from "../../analysis/verify/verify.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { isEmbedded } from "../../model/embedded.ts";
import { createModelLoader } from "../../model/registry.ts";
import { SUITES, type SuiteName } from "../../results/verify.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { verifyTerminal } from "../../views/verify/terminal.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";

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
        const { models, modelName, report, signal, result } = context;
        const model = await models.load(name ?? modelName);
        const suite = await loadSuite(options.pictures ?? (isEmbedded(model.name) ? "scenes" : "photos"));
        const found = await withReference(context, model, name ?? modelName, (reference) =>
          verifyModel(model, suite, { report, signal, ...(reference && { reference }) }),
        );
        result(found, () => verifyTerminal(found));
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
