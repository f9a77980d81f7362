/** Models that come with the package: small CLIPs trained on a generated world of emoji scenes. */
export const EMBEDDED_MODELS = [
  "emoji-4x128-p8",
  "emoji-6x192-p8",
  "emoji-4x128-p16",
  "emoji-4x128-p16-s2",
  "emoji-4x128-p16-s3",
  "emoji-6x192-p16",
  "emoji-6x192-p16-s2",
  "emoji-6x192-p16-s3",
] as const;

/** What is used when no model is named. */
export const DEFAULT_MODEL: (typeof EMBEDDED_MODELS)[number] = "emoji-4x128-p8";

/** True for the name of a model that comes with the package. */
export const isEmbedded = (name: string): boolean => (EMBEDDED_MODELS as readonly string[]).includes(name);
