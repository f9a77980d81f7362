/**
 * One committed picture: a view in a state that matters, drawn from fixed data. A change of any view is then a changed
 * file, to be looked at in a review.
 */
export interface GoldenPicture {
  /** Path below `output/`, with the extension that says what it is: `.svg`, `.png`, `.html` or `.txt`. */
  readonly name: `${string}.${"svg" | "png" | "html" | "txt"}`;
  /** What a reviewer should see in it: one sentence. */
  readonly shows: string;
  readonly draw: () => string | Uint8Array | Promise<string | Uint8Array>;
}

/** The pictures of one view. */
export interface Gallery {
  readonly title: string;
  readonly pictures: readonly GoldenPicture[];
}
