import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createPuller } from "../../hub/pull.ts";
import { isEmbedded } from "../../model/embedded.ts";
import { locateModel } from "../../model/registry.ts";
import { pullResult } from "../../results/models.ts";
import { originOf } from "../../results/origin.ts";
import { packaged } from "../../support/disk-paths.ts";
import type { WorkOptions } from "../../support/progress.ts";
import type { Register } from "../command.ts";
import { shellWord } from "../strings.ts";

/** A photograph that comes with the package, so that what is suggested runs as it is printed. */
const PHOTO = packaged("examples/photos/dog.jpg");

/** `pull MODEL`: fetches a model from the hub into the hub's cache. */
export const registerPull: Register = (program, run) => {
  program
    .command("pull")
    .description("fetch a model from the Hugging Face Hub into its cache; goes on where it was stopped")
    .argument("<model>", "a name that `models` lists, or a hub id (organisation/name)")
    .action(
      run(async ({ report, signal, result, called }, name: string) => {
        const pulled = isEmbedded(name) ? await embedded(name) : await fromHub(name, { report, signal });
        const json = pullResult(await originOf({}), pulled);
        result(json, () => {
          const { model, folder, receivedBytes: bytes } = json;
          const how = bytes === 0 ? "was here already" : `${(bytes / 1e6).toFixed(1)} MB received`;
          return [
            `${model} is in ${folder} (${how})`,
            "Next:",
            `  ${called} verify ${shellWord(model)}`,
            `  ${called} explain ${shellWord(PHOTO)} --text "a dog" --text "a cat" --model ${shellWord(model)}`,
          ].join("\n");
        });
      }),
    );
};

async function fromHub(name: string, work: WorkOptions) {
  const { name: model, files, ...pulled } = await createPuller().pull(name, work);
  return { model, ...pulled, files: [...files] };
}

async function embedded(model: string) {
  const { folder } = await locateModel(model);
  const names = (await readdir(folder)).sort();
  const files = names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size }));
  return { model, hubId: null, commit: null, folder, receivedBytes: 0, files: await Promise.all(files) };
}
