import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";

/** The encoders that `export` wrote. */
export const exportResultSchema = z.strictObject({
  origin: originSchema("model"),
  encoders: z
    .array(
      z.strictObject({
        tower: z.enum(["image", "text"]),
        files: z.array(z.string()).describe("the .onnx file, and its weights where they lie beside it"),
        bytes: z.int().min(1),
      }),
    )
    .describe("the image tower, and the text tower where it is exported"),
  left: z.string().nullable().describe("why the text tower was left out, if it was"),
});
/** The encoders that a model was exported to. */
export type ExportResult = z.infer<typeof exportResultSchema>;

export const exportResult = resultBuilder(exportResultSchema);
