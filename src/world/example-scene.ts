import { join } from "node:path";
import { packaged } from "../support/disk-paths.ts";

/** A generated scene of the embedded models' world, from a split never used in training. */
export interface ExampleScene {
  readonly path: string;
  readonly caption: string;
  readonly texts: readonly string[];
}

const FOLDER = packaged("examples/scenes/");

/**
 * What `explain` shows when no image is named: two texts that are true of the scene and two that each get one
 * thing wrong, so that what differs between their pictures is the heads that know that thing.
 */
export const EXAMPLE_SCENE: ExampleScene = {
  path: join(FOLDER, "images", "0067-monkey.png"),
  caption: "a monkey at the top of a purple scene",
  texts: [
    "a monkey at the top",
    "a monkey with a purple backdrop",
    "a monkey with a gray backdrop",
    "a palm tree with a purple backdrop",
  ],
};
