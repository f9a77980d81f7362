import { join } from "node:path";
import { exportEncoder, exportTextEncoder } from "../../model/export-encoder.ts";
import { type ExportResult, exportResult } from "../../results/export.ts";
import { originOf } from "../../results/origin.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { Register } from "../command.ts";

/** `export --out DIR`: both towers as ONNX files that any runtime runs. */
export const registerExport: Register = (program, run) => {
  program
    .command("export")
    .description("write both towers as ONNX files of standard operators, which any ONNX runtime runs")
    .requiredOption("--out <folder>", "where image.onnx and text.onnx go")
    .action(
      run(async (context, { out }: { readonly out: string }) => {
        const { signal, result } = context;
        const model = await context.model();
        const image = await exportEncoder(model, join(out, "image.onnx"), { signal });
        const encoders: ExportResult["encoders"] = [encoderOf("image", image)];
        let left: string | null = null;
        try {
          encoders.push(
            encoderOf("text", await exportTextEncoder(model, join(out, "text.onnx"), { signal })),
          );
        } catch (error) {
          // Nothing is wrong with a model of which images alone can be asked.
          if (!(error instanceof ClipInterpretError && error.code === "TEXTS_UNSUPPORTED")) throw error;
          left = error.message;
        }
        const found = exportResult(await originOf({ model }), { encoders, left });
        result(found, () =>
          [
            ...encoders.flatMap(({ files, tower, bytes }) =>
              files.map((file, i) =>
                i === 0 ? `${tower}: ${file}  ${(bytes / 1e6).toFixed(1)} MB` : `  ${file}`,
              ),
            ),
            ...(left === null ? [] : [`The text tower was left out: ${left}`]),
          ].join("\n"),
        );
      }),
    );
};

const encoderOf = (
  tower: "image" | "text",
  { files, bytes }: { readonly files: readonly string[]; readonly bytes: number },
) => ({ tower, files: [...files], bytes });
