import { useEffect, useRef, useState } from "react";
import { type AtlasHeadResult, pictureUrl } from "../state/api.ts";

type Covered = AtlasHeadResult["pictures"][number]["covered"];

interface Props {
  /** A corpus's image. */
  readonly image: string;
  readonly alt: string;
  /** What of it maps lie on, in shares of its sides; null: there are none. */
  readonly covered: Covered | null;
  /** Patches row by row; null: none is drawn. */
  readonly map: readonly number[] | null;
  readonly grid: { readonly rows: number; readonly columns: number };
  readonly limit: number;
}

/** Red and blue of the signed scale's ends. */
const [FOR, AGAINST] = [
  [178, 24, 43],
  [33, 102, 172],
];
const DENSEST = 205;

/** What the model looked at fills the square, so that the map fits it. */
const shownPart = ({ x, y, width, height }: NonNullable<Covered>) => ({
  width: `${100 / width}%`,
  height: `${100 / height}%`,
  left: `${(-100 * x) / width}%`,
  top: `${(-100 * y) / height}%`,
});

/** A small square picture with a head's map over it. */
export function MapThumb({ image, alt, covered, map, grid, limit }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !map) return;
    const pixels = context.createImageData(grid.columns, grid.rows);
    map.forEach((value, i) => {
      pixels.data.set(value > 0 ? FOR : AGAINST, 4 * i);
      pixels.data[4 * i + 3] = DENSEST * Math.sqrt(Math.min(1, Math.abs(value) / (limit || 1)));
    });
    context.putImageData(pixels, 0, 0);
  }, [map, grid, limit]);
  if (gone) return <span className="map-thumb gone">gone</span>;
  return (
    <span className="map-thumb">
      <img
        loading="lazy"
        src={pictureUrl(image, 160)}
        alt={alt}
        width={96}
        height={96}
        style={covered ? shownPart(covered) : undefined}
        onError={() => setGone(true)}
      />
      {map && covered && <canvas ref={canvas} width={grid.columns} height={grid.rows} />}
    </span>
  );
}
