import { Argument } from "commander";
import { KNOWN_MODELS } from "../../hub/known-models.ts";
import { EMBEDDED_MODELS } from "../../model/embedded.ts";
import type { Register } from "../command.ts";
import { completionScript, SHELLS, type Shell } from "../completion.ts";

/** `completion SHELL`: what a shell needs to complete commands, options and their values. */
export const registerCompletion: Register = (program, run) => {
  program
    .command("completion")
    .description("print a script that lets the shell complete commands, options and names of models")
    .addArgument(new Argument("<shell>", "for which shell").choices(SHELLS))
    .action(
      run(async ({ streams }, shell: Shell) => {
        const models = [...EMBEDDED_MODELS, ...KNOWN_MODELS.map(({ name }) => name)];
        streams.stdout.write(completionScript(program, shell, models));
      }),
    );
};
