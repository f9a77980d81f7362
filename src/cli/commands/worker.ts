import { hostname } from "node:os";
import { Option } from "commander";
import type { LogForm } from "../../cluster/log.ts";
import { parseListen } from "../../cluster/monitor.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { wholeNumber } from "../strings.ts";

interface WorkerCommandOptions {
  readonly queue?: string;
  readonly lease: number;
  readonly idle?: number;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly log: LogForm;
}

/** `worker --queue URL`: computes parts of indexes that `index --queue` plans, until it is stopped. */
export const registerWorker: Register = (program, run) => {
  program
    .command("worker")
    .description("compute parts of indexes that `index --queue` plans, on any machine, until it is stopped")
    .addOption(
      new Option("--queue <url>", "the queue's Redis: redis://host:6379, or rediss:// over TLS").env(
        "CLIP_INTERPRET_QUEUE",
      ),
    )
    .option(
      "--lease <seconds>",
      "a worker that shows no life for so long loses its part to another; the same for all workers",
      wholeNumber(1, 3600),
      30,
    )
    .option("--idle <seconds>", "end after so long without work", wholeNumber(0))
    .option("--listen <address>", "answer /healthz, /readyz and /metrics at PORT or HOST:PORT", parseListen)
    .addOption(
      new Option("--log <form>", "what it says: lines for people, or JSON with ids")
        .choices(["text", "json"])
        .default("text"),
    )
    .action(run((context, options: WorkerCommandOptions) => work(context, options)));
};

async function work(context: CommandContext, options: WorkerCommandOptions): Promise<void> {
  const { queue, lease, idle, listen, log: form } = options;
  if (queue === undefined)
    throw new ClipInterpretError("USAGE", "--queue is missing: the address of a Redis, redis://host:6379");
  const { connect } = await import("../../cluster/redis.ts");
  const { createLog, reportTo } = await import("../../cluster/log.ts");
  const { createRegistry, workerMetrics } = await import("../../cluster/metrics.ts");
  const { startMonitor } = await import("../../cluster/monitor.ts");
  const { startWorker } = await import("../../cluster/worker.ts");
  const { globals, signal, streams } = context;
  const name = `${hostname()}-${process.pid}`;
  const log = createLog(streams.stderr, form, { worker: name });
  if (globals.quiet) log.level = "warn";
  const connection = await connect(queue, reportTo(log));
  const registry = createRegistry();
  const metrics = workerMetrics(registry);
  try {
    const { precision, device, model } = globals;
    const worker = startWorker(connection, {
      ...{ name, lease, idle, threads: globals.threads, log, metrics, signal },
      only: { precision, device, model: model?.at(-1) },
    });
    const monitor =
      listen &&
      (await startMonitor(listen, {
        readiness: worker.readiness,
        metricsType: registry.contentType,
        metrics: async () => {
          metrics.redis.set(connection.isReady() ? 1 : 0);
          for (const [state, count] of Object.entries(await worker.queued()))
            metrics.queue.set({ state }, count);
          return registry.metrics();
        },
      }));
    log.info(
      { queue: connection.shown, lease, ...(monitor && { listen: monitor.url }) },
      "waiting for parts",
    );
    await worker.ended;
    await monitor?.close();
    log.info(signal.aborted ? "stopped" : "nothing left to do");
  } finally {
    connection.close();
  }
}
