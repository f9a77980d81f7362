import { type CSSProperties, type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import type { Paint } from "../../../src/views/kit/heatmap.ts";
import { canvasOf, type Pixels, type Placed, paintPicture } from "../../../src/views/kit/panel.ts";
import { rgbaOf } from "./paint.ts";
import { loadPixels } from "./pixels.ts";

interface Props {
  readonly src: string;
  readonly alt: string;
  /** Of the picture, so that its place is taken before its pixels are there. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  /** Undefined while nothing is known of the map: the plain picture is shown. */
  readonly place?: Placed | undefined;
  readonly paint?: Paint | undefined;
  /** 0–100. */
  readonly opacity: number;
  /** A patch in reading order that is marked. */
  readonly marked?: number | null;
  /** Hears of the patch under a mouse, or moved to by keys. */
  readonly onMark?: (patch: number | null) => void;
  /** Hears of the patch that was clicked or tapped, which stays marked. */
  readonly onKeep?: (patch: number | null) => void;
}

/** A picture with a map of patches painted over it, where the model looked; the rest is faded. */
export function HeatPicture(props: Props) {
  const { src, alt, size, place, paint, opacity, marked = null, onMark, onKeep } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const pixels = usePixels(src);
  useEffect(() => {
    const target = canvas.current;
    if (!target || !pixels) return;
    target.width = pixels.width;
    target.height = pixels.height;
    const { rgb, width, height } = pixels;
    const shown = place ? paintPicture(canvasOf(pixels, place), paint, { opacity: opacity / 100 }) : rgb;
    target.getContext("2d")?.putImageData(new ImageData(rgbaOf(shown), width, height), 0, 0);
    target.dataset.painted = paint ? "map" : "plain";
  }, [pixels, place, paint, opacity]);

  const patchAt = (event: MouseEvent<HTMLElement>): number | null => {
    if (!place) return null;
    const box = event.currentTarget.getBoundingClientRect();
    const { grid, original } = place;
    const { x, y, width, height } = place.placement;
    const across = (((event.clientX - box.left) / box.width) * original.width - x) / width;
    const down = (((event.clientY - box.top) / box.height) * original.height - y) / height;
    if (across < 0 || across >= 1 || down < 0 || down >= 1) return null;
    return Math.floor(down * grid.rows) * grid.columns + Math.floor(across * grid.columns);
  };
  const move = (event: KeyboardEvent<HTMLElement>) => {
    if (!place || !onMark) return;
    const { rows, columns } = place.grid;
    const steps: Record<string, number> = {
      ...{ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns },
    };
    if (event.key === "Escape") {
      onKeep?.(null);
      return onMark(null);
    }
    if (event.key === "Enter") return onKeep?.(marked);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const from = marked ?? Math.floor(rows / 2) * columns + Math.floor(columns / 2) - step;
    const next = from + step;
    const leavesRow = Math.abs(step) === 1 && Math.floor(next / columns) !== Math.floor(from / columns);
    if (next >= 0 && next < rows * columns && !leavesRow) onMark(next);
  };
  const drawing = (
    <>
      <canvas ref={canvas} role="img" aria-label={alt} />
      {place && marked !== null && <Mark place={place} patch={marked} />}
    </>
  );
  const shape = size ?? place?.original;
  const style = shape && ({ "--aspect": shape.width / shape.height } as CSSProperties);
  if (!onMark)
    return (
      <div className="heat" style={style}>
        {drawing}
      </div>
    );
  return (
    <div
      className="heat marked"
      style={style}
      role="group"
      aria-label="Patches of the picture: move over them, tap one, or use the arrow keys, to see what each head wrote there"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move over its patches
      tabIndex={0}
      // A finger that moves scrolls the page; it marks with a tap.
      onPointerMove={(event) => event.pointerType !== "touch" && onMark(patchAt(event))}
      onPointerLeave={(event) => event.pointerType !== "touch" && onMark(null)}
      onClick={(event) => onKeep?.(patchAt(event))}
      onBlur={() => onMark(null)}
      onKeyDown={move}
    >
      {drawing}
    </div>
  );
}

function Mark({ place, patch }: { place: Placed; patch: number }) {
  const { grid, original, placement } = place;
  const per = (value: number, of: number) => `${(100 * value) / of}%`;
  const side = { width: placement.width / grid.columns, height: placement.height / grid.rows };
  return (
    <span
      className="mark"
      style={{
        left: per(placement.x + (patch % grid.columns) * side.width, original.width),
        top: per(placement.y + Math.floor(patch / grid.columns) * side.height, original.height),
        width: per(side.width, original.width),
        height: per(side.height, original.height),
      }}
    />
  );
}

function usePixels(src: string): Pixels | undefined {
  const [pixels, setPixels] = useState<Pixels>();
  useEffect(() => {
    let wanted = true;
    loadPixels(src).then(
      (loaded) => wanted && setPixels(loaded),
      () => wanted && setPixels(undefined),
    );
    return () => {
      wanted = false;
    };
  }, [src]);
  return pixels;
}
