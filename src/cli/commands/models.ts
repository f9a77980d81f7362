import { type CatalogueEntry, listModels } from "../../model/catalogue.ts";
import { modelsResult } from "../../results/models.ts";
import { originOf } from "../../results/origin.ts";
import { terminalTable } from "../../views/kit/table.ts";
import type { Register } from "../command.ts";
import { oneLine } from "../strings.ts";

/** `models`: what can be named with `--model`, and what of it is here. */
export const registerModels: Register = (program, run) => {
  program
    .command("models")
    .description("list the models that can be named: what they are, how large, and which are here")
    .action(
      run(async ({ result, called }) => {
        const found = modelsResult(await originOf({}), { models: await listModels() });
        result(found, () => `${listing(found.models)}\n${explanation(called)}`);
      }),
    );
};

const HEAD = [
  "here",
  "model",
  "#layers",
  "#heads",
  "#patch",
  "#pixels",
  "#MB",
  "licence",
  "trained on",
  "source",
];

const explanation = (called: string): string => `
* one of the six models of the paper; ~ estimated. Any other CLIP ViT on the hub goes by its hub id (organisation/name).
  ${called} pull MODEL                                          fetches one into the hub's cache
  ${called} explain PICTURE --text "a dog" --model MODEL        uses one that is here, or a folder`;

function listing(models: readonly CatalogueEntry[]): string {
  const number = (value: number | null) => (value === null ? "–" : String(value));
  const size = ({ megabytes, approximate }: CatalogueEntry) =>
    megabytes === null
      ? "–"
      : `${approximate ? "~" : ""}${megabytes < 10 ? megabytes.toFixed(1) : Math.round(megabytes)}`;
  const rows = models.map((model) => [
    model.present ? (model.texts === false ? "images only" : "yes") : "",
    `${model.name}${model.paper ? " *" : ""}`,
    number(model.layers),
    number(model.heads),
    number(model.patch),
    number(model.imageSize),
    size(model),
    model.licence ?? "–",
    model.trainedOn ?? "–",
    model.hubId ?? "comes with the package",
  ]);
  const here = models.filter(({ present }) => present).map(({ name, folder }) => `  ${name}  ${folder}`);
  return oneLineEach([...terminalTable(HEAD, rows), "", "Here:", ...here].join("\n"));
}

/** Names and folders come from a disk: they must not command the terminal. */
const oneLineEach = (text: string) => text.split("\n").map(oneLine).join("\n");
