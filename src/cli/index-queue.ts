import { requireFinite } from "../checkpoint/finite.ts";
import { runParts } from "../cluster/plan.ts";
import { connect } from "../cluster/redis.ts";
import type { BuildOptions } from "../corpus/build.ts";
import { mergeParts, planParts } from "../corpus/parts.ts";
import { scanSource } from "../corpus/source.ts";
import { placeOf } from "../corpus/store-at.ts";
import { whatFinds } from "../model/registry.ts";
import { disk } from "../support/disk-bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { VERSION } from "../support/version.ts";
import type { CommandContext } from "./context.ts";

/** Options of `index` that a run takes along. */
interface QueueOptions
  extends Pick<BuildOptions, "root" | "hidden" | "dtype" | "mlps" | "shardSize" | "maxPixels"> {
  readonly out: string;
  readonly exif: boolean;
}

/** `index --queue`: plans the parts, has workers compute them, and waits until the index is whole. */
export async function indexByQueue(
  context: CommandContext,
  queue: string | true,
  parts: number | undefined,
  inputs: readonly string[],
  options: QueueOptions,
) {
  const { report, signal } = context;
  const { out, root, hidden, dtype, mlps, exif, shardSize, maxPixels } = options;
  const address = queue === true ? process.env.CLIP_INTERPRET_QUEUE : queue;
  if (!address) {
    throw new ClipInterpretError("USAGE", "--queue has no address, and CLIP_INTERPRET_QUEUE is not set");
  }
  const connection = await connect(address, report);
  try {
    const source = await scanSource(inputs, { root, hidden, report });
    const model = await context.modelFor(out);
    // Of the text tower too: what is asked of the index later would fail.
    await requireFinite(disk, model.checkpoint.weights);
    const store = placeOf(out);
    const form = { ...(dtype && { dtype }), ...(mlps && { mlps }), ...(maxPixels && { maxPixels }) };
    const how = { exif, ...form, report, signal };
    const planned = await planParts(model, source, store, parts, how);
    const run = {
      ...{ version: VERSION, store, model: await whatFinds(model), exif, shardSize, maxPixels },
      ...{ precision: model.precision, device: model.device, activation: context.globals.activation },
    };
    if (planned.length > 0) await runParts(connection, run, planned, { report, signal });
    const added = planned.reduce((sum, { images }) => sum + images, 0);
    return { ...(await mergeParts(store, { report, signal })), added, passedOver: passedOver(source) };
  } finally {
    connection.close();
  }
}

const passedOver = ({ passed }: Awaited<ReturnType<typeof scanSource>>) => ({
  hidden: passed?.hidden ?? 0,
  others: { ...passed?.others },
});
