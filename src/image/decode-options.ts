import type { Report } from "../support/progress.ts";

/** How a picture is decoded. */
export interface DecodeOptions {
  /**
   * Turn the image upright by its EXIF orientation (default). The reference implementation ignores it, but for TIFF, which
   * is turned in any case.
   */
  readonly exif?: boolean;
  /** Images with more pixels are refused before any is decoded. Default 100 million. */
  readonly maxPixels?: number;
  /** What to call the image in messages; default: its path, or `image` for bytes. */
  readonly name?: string;
  /** Is told what should be known of a picture that is read all the same (`IMAGE_DARK`). */
  readonly report?: Report;
}
