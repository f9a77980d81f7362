/** A scene with its words: what is written beside an image of the world. */

import { Random } from "../math/random.ts";
import { type Caption, caption } from "./captions.ts";
import { conceptNamed } from "./concepts.ts";
import { type Scene, sceneSeed } from "./scene.ts";

/** A scene, the group of each object, and captions that are true of it. */
export interface SceneRecord extends Scene {
  readonly groups: readonly string[];
  readonly captions: readonly Caption[];
}

/** The record of a scene with `captions` captions, drawn from a stream of their own. */
export function recordOf(scene: Scene, captions: number): SceneRecord {
  const random = new Random(sceneSeed(scene) ^ 0x5ca1ab1e, scene.index);
  return {
    ...scene,
    groups: scene.objects.map((object) => conceptNamed(object.concept).group),
    captions: Array.from({ length: captions }, () => caption(scene, random)),
  };
}
