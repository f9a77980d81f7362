import { modelOfIndex } from "../../corpus/index-model.ts";
import { whatFinds } from "../../model/registry.ts";
import { indexedCorpus } from "../../server/corpora.ts";
import { startServer } from "../../server/serve.ts";
import { messageOf } from "../../support/errors.ts";
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
  readonly labels?: string;
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
      "where the images of an index lie now, if they moved without it; in the order of --index",
      collect,
      [],
    )
    .option("--labels <file>", "names for heads: labels, or {property: [heads]}")
    .action(
      run(async (context, options: ServeOptions) => {
        const { globals, models, report, signal, streams, say, result } = context;
        const token = options.token ?? (process.env.CLIP_INTERPRET_TOKEN || undefined);
        const server = await startServer({
          ...{
            models,
            served: await servedBy(context, options.index),
            host: options.host,
            port: options.port,
            token,
          },
          ...{ origins: options.origin, embed: options.embed, basePath: options.basePath },
          corpora: await Promise.all(
            options.index.map((index, i) => indexedCorpus(index, { root: options.root[i], report })),
          ),
          labels: options.labels,
          onFault: (error) => {
            const text = globals.debug && error instanceof Error ? error.stack : messageOf(error);
            streams.stderr.write(`fault: ${text}\n`);
          },
        });
        try {
          const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
          result({ url: server.url }, () => `clip-interpret is open at ${server.url}${query}`);
          for (const url of server.outside) say(`Through the reverse proxy it is at ${url}${query}`);
          say("Stop it with Ctrl-C.");
          await aborted(signal);
        } finally {
          await server.close();
        }
      }),
    );
};

/** The models that were named, or else those that made the indexes, or else the one that is used when none is. */
async function servedBy(
  { globals, models, modelName }: CommandContext,
  indexes: readonly string[],
): Promise<readonly string[]> {
  if (globals.model) return globals.model;
  const makers: string[] = [];
  for (const index of indexes) {
    const model = await modelOfIndex(index, models);
    if (model) makers.push(await whatFinds(model));
  }
  return makers.length > 0 ? makers : [modelName];
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
