import { type ComponentSet, parseComponents, weightedName } from "../model/components.ts";
import type { HeadGeometry } from "../model/geometry.ts";
import type { Properties } from "../results/app.ts";

/** A component set in which names of properties may stand. @throws `HEADS_INVALID` */
export const parseWithProperties = (
  heads: string,
  geometry: HeadGeometry,
  { properties }: Properties,
): ComponentSet =>
  parseComponents(
    heads,
    geometry,
    Object.fromEntries(
      properties.map((property) => [
        property.name,
        property.heads.map((head) => weightedName(head.name, head.weight)),
      ]),
    ),
  );
