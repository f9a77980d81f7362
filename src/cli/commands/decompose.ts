import { writeReferenceArrays } from "../../analysis/decompose/reference-arrays.ts";
import { precisionNotice } from "../../model/notices.ts";
import { openNpyRows } from "../../support/npy-stream.ts";
import type { Register } from "../command.ts";

/** `decompose --pixels X.npy --out DIR [--spatial]`: the reference scripts' dense arrays. */
export const registerDecompose: Register = (program, run) => {
  program
    .command("decompose")
    .description(
      "write what every head and MLP contributed to the embeddings, as NumPy arrays in the reference layout",
    )
    .requiredOption("--pixels <file>", "preprocessed images, .npy float32 [n, 3, size, size]")
    .requiredOption("--out <folder>", "where the arrays go")
    .option("--spatial", "one contribution per token as well: [n, L, N, H, D]", false)
    .action(
      run(async (context, options: { pixels: string; out: string; spatial: boolean }) => {
        const { report, signal, result } = context;
        const model = await context.model();
        const pixels = await openNpyRows(options.pixels, 4);
        try {
          const written = await writeReferenceArrays(model, pixels, options.out, {
            spatial: options.spatial,
            report,
            signal,
          });
          result(written, () =>
            [
              ...written.files.map(({ path, shape }) => `${path}  [${shape.join(", ")}]`),
              `${written.images} images; the parts sum to the embedding within ${written.sumError.toExponential(1)} (relative)`,
              ...precisionNotice(model),
            ].join("\n"),
          );
        } finally {
          await pixels.close();
        }
      }),
    );
};
