import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A generated scene of the embedded models' world, from a seed never used in training. */
export interface ExampleScene {
  readonly path: string;
  readonly caption: string;
  readonly texts: readonly string[];
}

const FOLDER = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));

/**
 * What `explain` shows when no image is named: two texts that are true of the scene and two that each get one
 * thing wrong, so that what differs between their pictures is the heads that know that thing.
 */
export const EXAMPLE_SCENE: ExampleScene = {
  path: join(FOLDER, "whale-61.png"),
  caption: "a whale at the top of a red scene",
  texts: [
    "a whale at the top",
    "a whale with a red backdrop",
    "a whale with a gray backdrop",
    "a palm tree with a red backdrop",
  ],
};
