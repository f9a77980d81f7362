import type { TruncatedText } from "../../results/shapes.ts";

/** That a text is cut off, in words. */
export const truncatedInWords = ({ text, tokens }: TruncatedText): string =>
  `Only the first ${tokens} tokens of “${text.length > 60 ? `${text.slice(0, 60)}…` : text}” are read.`;

/** What a reader must know before a result, if anything: of the model, and of texts that were cut off. */
export const noticeOf = ({
  origin,
  truncated = [],
}: {
  readonly origin: { readonly model: { readonly notice: string | null } };
  readonly truncated?: readonly TruncatedText[];
}): string | null => {
  const { notice } = origin.model;
  return [...(notice === null ? [] : [notice]), ...truncated.map(truncatedInWords)].join(" ") || null;
};
