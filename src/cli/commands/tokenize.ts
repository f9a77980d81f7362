import { loadCheckpoint } from "../../checkpoint/load.ts";
import { tokenizeWith } from "../../model/clip-model.ts";
import { readModelTokenizer } from "../../model/load-tokenizer.ts";
import { locateModel } from "../../model/registry.ts";
import { originOf } from "../../results/origin.ts";
import { textListSchema, tokenizeResult } from "../../results/tokenize.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readJson } from "../../support/files.ts";
import type { Register } from "../command.ts";

/** `tokenize --texts F.json`: the ids a model reads, from start token to end token. */
export const registerTokenize: Register = (program, run) => {
  program
    .command("tokenize")
    .description('print the token ids of texts as JSON: {"ids": [[…], …]}, start token to end token')
    .requiredOption("--texts <file>", "a JSON list of strings")
    .action(
      run(async ({ modelName, report, result }, options: { texts: string }) => {
        const parsed = textListSchema.safeParse(await readJson(options.texts));
        if (!parsed.success)
          throw new ClipInterpretError("JSON_INVALID", `${options.texts} is not a JSON list of strings`);
        const { folder, name } = await locateModel(modelName);
        const tokenizer = await readModelTokenizer(await loadCheckpoint(folder, name));
        const ids = await tokenizeWith({ tokenizer: async () => tokenizer }, parsed.data, { report });
        const read = { model: name, sha256: tokenizer.sha256() };
        const output = tokenizeResult(await originOf({}), { tokenizer: read, ids });
        result(output, () => JSON.stringify(output));
      }),
    );
};
