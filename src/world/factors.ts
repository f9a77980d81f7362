/** Everything but the concept that varies from scene to scene: the values each factor takes. */

/** An RGB colour, 0–255 each. */
export type Rgb = readonly [number, number, number];

/** A drawing style: the word captions use for it, and the icon set that draws it. */
export interface Style {
  readonly name: string;
  readonly iconSet: string;
  readonly source: string;
  readonly author: string;
  readonly licence: string;
}

/** All drawing styles. */
export const STYLES: readonly Style[] = [
  {
    name: "soft",
    iconSet: "noto",
    source: "Noto Emoji",
    author: "Google",
    licence: "Apache-2.0",
  },
  {
    name: "flat",
    iconSet: "twemoji",
    source: "Twemoji",
    author: "Twitter and contributors",
    licence: "CC-BY-4.0",
  },
  {
    name: "bold",
    iconSet: "fluent-emoji-flat",
    source: "Fluent Emoji Flat",
    author: "Microsoft",
    licence: "MIT",
  },
  {
    name: "retro",
    iconSet: "noto-v1",
    source: "Noto Emoji v1",
    author: "Google",
    licence: "Apache-2.0",
  },
  {
    name: "crisp",
    iconSet: "emojione",
    source: "Emoji One 2.3",
    author: "Emoji One",
    licence: "CC-BY-4.0",
  },
];

/** The one style that no training image and no training caption ever shows. */
export const HELD_OUT_STYLE = "crisp";

/** The styles that training may use. */
export const TRAINING_STYLES: readonly string[] = STYLES.map((style) => style.name).filter(
  (name) => name !== HELD_OUT_STYLE,
);

/** Background colours by name; a scene's own colour lies close to the one named. */
export const BACKGROUNDS = {
  red: [212, 46, 48],
  orange: [240, 138, 36],
  yellow: [247, 214, 70],
  green: [58, 158, 78],
  blue: [50, 106, 220],
  purple: [128, 66, 178],
  pink: [246, 156, 194],
  brown: [122, 78, 46],
  black: [22, 22, 26],
  white: [245, 245, 245],
  gray: [138, 142, 148],
  turquoise: [48, 192, 190],
} as const satisfies Record<string, Rgb>;

/** The name of a background colour. */
export type Background = keyof typeof BACKGROUNDS;

/** The names of the background colours, in the order in which their indices are written. */
export const BACKGROUND_NAMES = Object.keys(BACKGROUNDS) as readonly Background[];

/** Whether the background is one colour or runs from a lighter to a darker shade of it. */
export const BACKDROPS = ["plain", "graded"] as const;
export type Backdrop = (typeof BACKDROPS)[number];

/** Where a single object is. */
export const POSITIONS = ["left", "right", "top", "bottom", "centre"] as const;
export type Position = (typeof POSITIONS)[number];

/** How large a single object is: the range of its longer side as a share of the image's side. */
export const SIZES = {
  small: [0.4, 0.46],
  medium: [0.5, 0.58],
  large: [0.68, 0.8],
} as const satisfies Record<string, readonly [number, number]>;
export type Size = keyof typeof SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as readonly Size[];

/** What is done to the finished picture. */
export const EFFECTS = ["none", "black and white", "blurred", "dark", "grainy", "faded"] as const;
export type Effect = (typeof EFFECTS)[number];

/** How two different objects are arranged: the first is left of, or above, the second. */
export const ARRANGEMENTS = ["beside", "above"] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

/** How many of the same object a scene may hold. */
export const COUNTS = [1, 2, 3, 4] as const;
