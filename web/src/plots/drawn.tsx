import type { Drawing } from "../../../src/views/kit/svg.ts";

/** A drawing that pages from disk show too. */
export function Drawn({ drawing, label }: { readonly drawing: Drawing; readonly label: string }) {
  const { width, height, body } = drawing;
  return (
    <svg
      className="drawn"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      // biome-ignore lint/security/noDangerouslySetInnerHtml: drawings escape every text that they hold
      dangerouslySetInnerHTML={{ __html: body }}
    />
  );
}
