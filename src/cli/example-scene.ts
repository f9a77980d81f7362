export { EXAMPLE_SCENE } from "../world/example-scene.ts";
