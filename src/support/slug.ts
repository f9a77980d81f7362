/** A name as part of an address: lower-case letters, digits and hyphens, 36 at most; empty where it has none of these. */
export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 36)
    .replace(/^-+|-+$/g, "");
