import { hostname } from "node:os";
import { join } from "node:path";
import { Option } from "commander";
import { createLog, LOG_FORMS, type LogForm } from "../../cluster/log.ts";
import { modelOfIndex } from "../../corpus/index-model.ts";
import { readLabelsFile } from "../../labels/labels-file.ts";
import { locateModel, type ModelLoader, whatFinds } from "../../model/registry.ts";
import { indexedCorpus } from "../../server/corpora.ts";
import { startServer } from "../../server/serve.ts";
import { type Engine, startEngine } from "../../server/threads/engine.ts";
import { ownCacheFolder } from "../../support/environment.ts";
import { type ClipInterpretError, messageOf } from "../../support/errors.ts";
import { requireCache } from "../../support/files.ts";
import { checkCancelled } from "../../support/progress.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { collect, wholeNumber } from "../strings.ts";

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
  readonly origin: readonly string[];
  readonly embed: readonly string[];
  readonly basePath: string;
  readonly index: readonly string[];
  readonly root: readonly string[];
  readonly report: readonly string[];
  readonly labels?: string;
  readonly log?: LogForm;
}

/** `serve`: the web app and the HTTP API, until it is stopped. */
export const registerServe: Register = (program, run) => {
  program
    .command("serve")
    .description("open the web app: drop in a picture, see every head; with an HTTP API beside it")
    .option("--port <port>", "where to listen; 0 takes any that is free", wholeNumber(0, 65535), 7860)
    .option("--host <address>", "an address beyond this machine needs a --token", "127.0.0.1")
    .option("--token <token>", "asked of every request; or set CLIP_INTERPRET_TOKEN")
    .option(
      "--origin <origin>",
      "where a reverse proxy shows the page: https://clip.example.org; once or more",
      collect,
      [],
    )
    .option(
      "--embed <origin>",
      "whose pages may show a view in a frame (?embed=1): https://blog.example.org; once or more",
      collect,
      [],
    )
    .option("--base-path <path>", "the path below which it shows it, such as /clip", "")
    .option("--index <index>", "an index whose images may be searched and shown; once or more", collect, [])
    .option(
      "--root <folder>",
      "pages may add folders of pictures below it, and images of an index that moved are found there; once or more",
      collect,
      [],
    )
    .option(
      "--report <path>",
      "a folder that `study` wrote, or a page that `compare` or another command drew, to be read in the app; once or more",
      collect,
      [],
    )
    .option("--labels <file>", "names for heads: labels, or {property: [heads]}")
    .addOption(
      new Option("--log <form>", "a line a request on standard error: for people, or JSON with ids").choices(
        LOG_FORMS,
      ),
    )
    .action(
      run(async (context, options: ServeOptions) => {
        const models = startEngine(context.modelOptions);
        try {
          await serveUntilStopped(context, options, models);
        } finally {
          await models.release();
        }
      }),
    );
};

async function serveUntilStopped(context: CommandContext, options: ServeOptions, models: Engine) {
  const { called, globals, report, signal, streams, say, result } = context;
  const token = options.token ?? (process.env.CLIP_INTERPRET_TOKEN || undefined);
  const { host, port, origin: origins, embed, basePath, labels, root: roots, report: reports } = options;
  const log =
    options.log && createLog(streams.stderr, options.log, { server: `${hostname()}-${process.pid}` });
  // Much can be looked at without; what cannot is said before somebody meets it.
  await requireCache(join(ownCacheFolder(process.env), "app")).catch((error: ClipInterpretError) => {
    const lost = "pictures that are given, the generated scenes, labels and atlases cannot be kept";
    report({ type: "warning", code: error.code, message: `${error.message}; ${lost}. ${error.hint}` });
  });
  const server = await startServer({
    ...{ models, served: await servedBy(context, options, models), host, port, token },
    ...{ origins, embed, basePath, labels, roots, reports, ahead: true },
    corpora: await Promise.all(options.index.map((index) => indexedCorpus(index, { roots, report }))),
    onRequest: log && ((answered) => log.info(answered, "answered")),
    onFault: (error) => {
      const text = globals.debug && error instanceof Error ? error.stack : messageOf(error);
      if (log) log.error(`fault: ${text}`);
      else streams.stderr.write(`fault: ${text}\n`);
    },
  });
  try {
    checkCancelled(signal);
    const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
    result({ url: server.url }, () => `clip-interpret is open at ${server.url}${query}`);
    for (const url of server.outside) say(`Through the reverse proxy it is at ${url}${query}`);
    say(`Stop it with Ctrl-C. Everything else it can do: ${called} --help`);
    await aborted(signal);
    const { requests, jobs } = server.underWay();
    if (requests + jobs > 0)
      say(
        `Stopping: ${counted(requests, "request")} and ${counted(jobs, "job")} under way are brought to an end …`,
      );
  } finally {
    const { requests, jobs } = await server.close();
    if (requests + jobs > 0)
      say(`${counted(requests, "request")} and ${counted(jobs, "job")} took too long and were cut off.`);
  }
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/**
 * The models that were named, or else those that made the indexes, or else those whose heads the labels name, or else the
 * one that is used when none is.
 */
async function servedBy(
  { globals, modelName }: CommandContext,
  { index, labels }: ServeOptions,
  models: ModelLoader,
): Promise<readonly string[]> {
  if (globals.model) return globals.model;
  const makers: string[] = [];
  for (const folder of index) {
    const model = await modelOfIndex(folder, models);
    if (model) makers.push(await whatFinds(model));
  }
  if (makers.length > 0) return makers;
  const named = labels === undefined ? [] : (await readLabelsFile(labels)).models.map(({ model }) => model);
  const here = await Promise.all(
    named.map((name) =>
      name === ""
        ? undefined
        : locateModel(name).then(
            () => name,
            () => undefined,
          ),
    ),
  );
  const found = here.flatMap((name) => name ?? []);
  return found.length > 0 && !found.includes(modelName) ? found.slice(0, 1) : [modelName];
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
