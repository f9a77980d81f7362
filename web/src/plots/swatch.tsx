import { apart, hatchPath, SWATCH } from "../../../src/views/kit/colour.ts";

/** The square that shows how the i-th of several things is drawn. */
export function Swatch({ index }: { readonly index: number }) {
  const { colour, hatch, shade } = apart(index);
  return (
    <svg className="swatch" viewBox={`0 0 ${SWATCH} ${SWATCH}`} aria-hidden="true">
      <rect width={SWATCH} height={SWATCH} fill={colour} />
      <path d={hatchPath(hatch)} stroke={shade} strokeWidth={2} />
    </svg>
  );
}
