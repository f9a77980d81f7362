import { z } from "zod";
import { PRECISIONS } from "../onnx/linear.ts";

/** What a result was computed in: anything but `fp32` is an approximation. */
export const precisionSchema = z
  .enum(PRECISIONS)
  .describe("fp32, or int8: an approximation in eight-bit integers");
