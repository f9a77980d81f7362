/** Shades from nothing to the strongest patch. */
const SHADES = " ░▒▓█";

/** A map as rows of shades, two characters a patch; what is below zero is left blank. */
export const shades = (rows: readonly (readonly number[])[], limit: number): string[] =>
  rows.map((values) => {
    const line = values.map((value) => {
      const share = Math.max(0, value) / (limit || 1);
      return SHADES[Math.min(4, Math.round(share * 4))].repeat(2);
    });
    return line.join("");
  });
