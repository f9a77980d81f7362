import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, type DecodedImage, type ImageMode } from "./pixels.ts";
import type { ResizeWindow } from "./resample.ts";
import { resize } from "./resize.ts";

const modes: ImageMode[] = ["L", "P", "RGB", "RGBA", "CMYK"];
const side = fc.integer({ min: 1, max: 24 });

const anyImage = fc.record({ mode: fc.constantFrom(...modes), width: side, height: side }).chain((shape) => {
  const length = shape.width * shape.height * CHANNELS[shape.mode];
  const data = fc.uint8Array({ minLength: length, maxLength: length });
  return data.map((data): DecodedImage => ({ ...shape, data }));
});

function whole(width: number, height: number): ResizeWindow {
  return { width, height, left: 0, top: 0, windowWidth: width, windowHeight: height };
}

/** The rectangle of `data` [height, width, channels] that starts at (left, top). */
function cut(data: Uint8Array, width: number, channels: number, window: ResizeWindow): number[] {
  const { left, top, windowWidth, windowHeight } = window;
  return Array.from({ length: windowHeight }, (_, y) => {
    const start = ((top + y) * width + left) * channels;
    return [...data.subarray(start, start + windowWidth * channels)];
  }).flat();
}

function transpose({ mode, width, height, data }: DecodedImage): DecodedImage {
  const channels = CHANNELS[mode];
  const turned = Uint8Array.from(data, (_, i) => {
    const [c, pixel] = [i % channels, Math.floor(i / channels)];
    const [x, y] = [Math.floor(pixel / height), pixel % height];
    return data[(y * width + x) * channels + c]!;
  });
  return { mode, width: height, height: width, data: turned };
}

describe("resize", () => {
  it("leaves an image that has the size as it is, alpha and hidden colours included", () => {
    fc.assert(
      fc.property(anyImage, (image) => {
        expect([...resize(image, whole(image.width, image.height))]).toEqual([...image.data]);
      }),
    );
  });

  it("keeps a constant image constant", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ImageMode>("L", "P", "RGB", "CMYK"),
        side,
        side,
        side,
        side,
        fc.nat(255),
        (mode, width, height, toWidth, toHeight, level) => {
          const image = {
            mode,
            width,
            height,
            data: new Uint8Array(width * height * CHANNELS[mode]).fill(level),
          };
          expect(new Set(resize(image, whole(toWidth, toHeight)))).toEqual(new Set([level]));
        },
      ),
    );
  });

  it("computes a window as the same part of the whole", () => {
    const fractions = fc.tuple(
      ...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 0.999, noNaN: true })),
    );
    fc.assert(
      fc.property(anyImage, side, side, fractions, (image, width, height, [a, b, c, d]) => {
        const [left, top] = [Math.floor(a! * width), Math.floor(b! * height)];
        const windowWidth = 1 + Math.floor(c! * (width - left));
        const windowHeight = 1 + Math.floor(d! * (height - top));
        const window = { width, height, left, top, windowWidth, windowHeight };
        const full = resize(image, whole(width, height));
        expect([...resize(image, window)]).toEqual(cut(full, width, CHANNELS[image.mode], window));
      }),
    );
  });

  it("treats rows as columns", () => {
    fc.assert(
      fc.property(anyImage, side, (image, width) => {
        const wide = resize(image, whole(width, image.height));
        const tall = resize(transpose(image), whole(image.height, width));
        const back = transpose({ mode: image.mode, width: image.height, height: width, data: tall });
        expect([...back.data]).toEqual([...wide]);
      }),
    );
  });

  it("resizes opaque RGBA as RGB", () => {
    fc.assert(
      fc.property(anyImage, side, side, (image, width, height) => {
        const pixels = image.width * image.height;
        const rgb = Uint8Array.from({ length: pixels * 3 }, (_, i) => image.data[i % image.data.length]!);
        const rgba = Uint8Array.from({ length: pixels * 4 }, (_, i) =>
          i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i % 4)]!,
        );
        const withAlpha = resize({ ...image, mode: "RGBA", data: rgba }, whole(width, height));
        const without = resize({ ...image, mode: "RGB", data: rgb }, whole(width, height));
        expect([...withAlpha.filter((_, i) => i % 4 !== 3)]).toEqual([...without]);
      }),
    );
  });

  it("lets transparent colours not bleed into opaque ones", () => {
    const data = Uint8Array.from([200, 100, 50, 255, 0, 255, 0, 0]);
    const result = resize({ mode: "RGBA", width: 2, height: 1, data }, whole(1, 1));
    // Half covered: the colour survives up to 8-bit rounding of premultiplied samples.
    expect([...result]).toEqual([199, 99, 49, 128]);
  });

  it("takes the nearest sample of indexed images", () => {
    const data = Uint8Array.from({ length: 15 }, (_, i) => Math.floor(i / 3));
    const result = resize({ mode: "P", width: 5, height: 1, data }, whole(3, 1));
    expect([...result]).toEqual([0, 0, 0, 2, 2, 2, 4, 4, 4]);
  });

  it("needs little for the centre of an extreme strip", () => {
    const image: DecodedImage = {
      mode: "L",
      width: 1_000_000,
      height: 1,
      data: new Uint8Array(1_000_000).fill(7),
    };
    const window = { width: 224e6, height: 224, left: 112e6, top: 0, windowWidth: 224, windowHeight: 224 };
    expect(new Set(resize(image, window))).toEqual(new Set([7]));
  });
});
