import type { OpenedImage } from "./pixels.ts";

/** What is used of libheif-js, whose own types describe another of its files. */
interface LibHeif {
  readonly HeifDecoder: new () => { decode(file: Uint8Array): HeifImage[] };
}
interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(into: Rgba, done: (result: Rgba | null) => void): void;
  free(): void;
}
interface Rgba {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/**
 * Reads the main image of a HEIC (HEVC in HEIF), as phones take them, with libheif. It lies upright already: what turns
 * it is part of the format, whatever its EXIF says.
 * @throws Error where the file is damaged
 */
export async function openHeic(file: Uint8Array): Promise<OpenedImage> {
  const { HeifDecoder } = await loadLibHeif();
  const images = new HeifDecoder().decode(file);
  const image = images.find((one) => one.is_primary()) ?? images[0];
  if (!image) throw new Error("it holds no image that can be read");
  const [width, height] = [image.get_width(), image.get_height()];
  const decode = async () => {
    const into = { data: new Uint8ClampedArray(width * height * 4), width, height };
    try {
      const shown = await new Promise<Rgba | null>((resolve) => image.display(into, resolve));
      if (!shown) throw new Error("its pixels are damaged");
    } finally {
      for (const one of images) one.free();
    }
    return { mode: "RGBA", width, height, data: new Uint8Array(into.data.buffer) } as const;
  };
  return { width, height, decode };
}

let loaded: Promise<LibHeif> | undefined;

/** Two megabytes of WebAssembly, for those who have such pictures. */
function loadLibHeif(): Promise<LibHeif> {
  loaded ??= import("libheif-js/wasm-bundle.js").then(({ default: library }) => library as LibHeif);
  return loaded;
}
