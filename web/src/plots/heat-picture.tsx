import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import type { Paint } from "../../../src/views/kit/heatmap.ts";
import { type Pixels, type Placement, paintPicture } from "./paint.ts";

interface Props {
  readonly src: string;
  readonly alt: string;
  /** Undefined while nothing is known of the map: the plain picture is shown. */
  readonly place?: Placement | undefined;
  readonly paint?: Paint | undefined;
  /** 0–100. */
  readonly opacity: number;
  /** A patch in reading order that is marked. */
  readonly marked?: number | null;
  readonly onMark?: (patch: number | null) => void;
}

const MOST = 512;

/** A picture with a map of patches painted over it, where the model looked; the rest is faded. */
export function HeatPicture({ src, alt, place, paint, opacity, marked = null, onMark }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pixels = usePixels(src);
  useEffect(() => {
    const target = canvas.current;
    if (!target || !pixels) return;
    target.width = pixels.width;
    target.height = pixels.height;
    const painted = paintPicture(pixels, place, paint, opacity);
    target.getContext("2d")?.putImageData(new ImageData(painted, pixels.width, pixels.height), 0, 0);
    target.dataset.painted = paint ? "map" : "plain";
  }, [pixels, place, paint, opacity]);

  const patchAt = (event: PointerEvent<HTMLElement>): number | null => {
    if (!place) return null;
    const box = event.currentTarget.getBoundingClientRect();
    const { x, y, width, height } = place.placement;
    const across = (((event.clientX - box.left) / box.width) * place.width - x) / width;
    const down = (((event.clientY - box.top) / box.height) * place.height - y) / height;
    if (across < 0 || across >= 1 || down < 0 || down >= 1) return null;
    return Math.floor(down * place.grid) * place.grid + Math.floor(across * place.grid);
  };
  const move = (event: KeyboardEvent<HTMLElement>) => {
    if (!place || !onMark) return;
    const { grid } = place;
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid, ArrowDown: grid };
    if (event.key === "Escape") return onMark(null);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const from = marked ?? Math.floor(grid / 2) * grid + Math.floor(grid / 2) - step;
    const next = from + step;
    const leavesRow = Math.abs(step) === 1 && Math.floor(next / grid) !== Math.floor(from / grid);
    if (next >= 0 && next < grid * grid && !leavesRow) onMark(next);
  };
  const drawing = (
    <>
      <canvas ref={canvas} role="img" aria-label={alt} />
      {place && marked !== null && <Mark place={place} patch={marked} />}
    </>
  );
  if (!onMark) return <div className="heat">{drawing}</div>;
  return (
    <div
      className="heat"
      role="group"
      aria-label="Patches of the picture: move over them, or use the arrow keys, to see what each head wrote there"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move over its patches
      tabIndex={0}
      onPointerMove={(event) => onMark(patchAt(event))}
      onPointerDown={(event) => onMark(patchAt(event))}
      onPointerLeave={() => onMark(null)}
      onBlur={() => onMark(null)}
      onKeyDown={move}
    >
      {drawing}
    </div>
  );
}

function Mark({ place, patch }: { place: Placement; patch: number }) {
  const { grid, width, height, placement } = place;
  const per = (value: number, of: number) => `${(100 * value) / of}%`;
  const side = { width: placement.width / grid, height: placement.height / grid };
  return (
    <span
      className="mark"
      style={{
        left: per(placement.x + (patch % grid) * side.width, width),
        top: per(placement.y + Math.floor(patch / grid) * side.height, height),
        width: per(side.width, width),
        height: per(side.height, height),
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

/** Reads a picture's pixels, at most {@link MOST} on its longer side. */
export async function loadPixels(src: string): Promise<Pixels> {
  const image = new Image();
  image.src = src;
  await image.decode();
  const enlarge = Math.min(MOST / Math.max(image.naturalWidth, image.naturalHeight), 4);
  // Small pictures are enlarged by whole numbers, so that their own pixels stay squares.
  const scale = enlarge > 1 ? Math.floor(enlarge) : enlarge;
  const width = Math.max(1, Math.round(image.naturalWidth * scale));
  const height = Math.max(1, Math.round(image.naturalHeight * scale));
  const drawn = document.createElement("canvas");
  drawn.width = width;
  drawn.height = height;
  const context = drawn.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = scale < 1;
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < data.length; i += 4) {
    rgb[at++] = data[i];
    rgb[at++] = data[i + 1];
    rgb[at++] = data[i + 2];
  }
  return { rgb, width, height };
}
