import { writeReferenceArrays } from "../../analysis/decompose/reference-arrays.ts";
import { writeTextArrays } from "../../analysis/decompose/text-arrays.ts";
import { precisionNotice } from "../../model/notices.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { openNpyRows } from "../../support/npy-stream.ts";
import type { Register } from "../command.ts";
import { collect } from "../strings.ts";
import { textsOf, textsOption } from "../texts-option.ts";

interface DecomposeOptions {
  readonly pixels?: string;
  readonly text: readonly string[];
  readonly texts?: string;
  readonly out: string;
  readonly spatial: boolean;
}

/** `decompose --pixels X.npy | --text T … --out DIR [--spatial]`: the reference scripts' dense arrays, of images or texts. */
export const registerDecompose: Register = (program, run) => {
  program
    .command("decompose")
    .description(
      "write what every head and MLP contributed to the embeddings of images or texts, as NumPy arrays in the reference layout",
    )
    .option("--pixels <file>", "preprocessed images, .npy float32 [n, 3, size, size]")
    .option("--text <text>", "a text to take apart, instead of images; once or more", collect, [])
    .addOption(textsOption())
    .requiredOption("--out <folder>", "where the arrays go")
    .option("--spatial", "one contribution per token as well: [n, L, N, H, D]", false)
    .action(
      run(async (context, { pixels: file, out, spatial, ...asked }: DecomposeOptions) => {
        const { report, signal, result } = context;
        const texts = await textsOf(asked, { report, signal });
        if ((file === undefined) === (texts.length === 0))
          throw new ClipInterpretError("USAGE", "give either --pixels or --text: one of them is decomposed");
        const model = await context.model();
        const work = { spatial, report, signal };
        const said = (files: Written["files"], count: string, sumError: number) =>
          [
            ...files.map(({ path, shape }) => `${path}  [${shape.join(", ")}]`),
            `${count}; the parts sum to the embedding within ${sumError.toExponential(1)} (relative)`,
            ...precisionNotice(model),
          ].join("\n");
        if (file === undefined) {
          const written = await writeTextArrays(model, texts, out, work);
          result(written, () => said(written.files, `${texts.length} texts`, written.sumError));
          return;
        }
        const pixels = await openNpyRows(file, 4);
        try {
          const written = await writeReferenceArrays(model, pixels, out, work);
          result(written, () => said(written.files, `${written.images} images`, written.sumError));
        } finally {
          await pixels.close();
        }
      }),
    );
};

interface Written {
  readonly files: readonly { readonly path: string; readonly shape: readonly number[] }[];
}
