/** An atlas without what would give a head away: for who wants to say what it does by its pictures and texts alone. */
import type { AtlasEntry, AtlasHeadResult, AtlasPicture, AtlasResult } from "../../results/atlas.ts";

/** The overview without labels and without anything that is known of the images. */
export const blindAtlas = (atlas: AtlasResult): AtlasResult => ({
  ...atlas,
  factors: [],
  heads: atlas.heads.map(blindEntry),
  metrics: atlas.metrics.map((metric) =>
    HIDDEN.has(metric.key) ? { ...metric, why: "it would give heads away" } : metric,
  ),
  pictures: atlas.pictures.map(blindPicture),
});

/** A page so. */
export const blindPage = (page: AtlasHeadResult): AtlasHeadResult => ({
  ...page,
  entry: blindEntry(page.entry),
  texts: page.texts.map((text) => ({ ...text, property: null })),
  directions: page.directions.map((direction) => ({
    ...direction,
    ...{ property: null, common: { least: [], most: [] } },
  })),
  groups: page.groups.map((group) => ({ ...group, common: [] })),
  ...{ factors: [], effects: [] },
  nearest: page.nearest.map((head) => ({ ...head, label: null })),
  elsewhere: page.elsewhere.map((other) => ({
    ...other,
    heads: other.heads.map((head) => ({ ...head, label: null })),
  })),
  pictures: page.pictures.map((picture) => ({ ...picture, ...blindPicture(picture) })),
});

const HIDDEN = new Set(["selectivity", "sign", "directEffect", "ablationEffect", "ccs"]);

function blindEntry(entry: AtlasEntry): AtlasEntry {
  const none = { selectivity: null, sign: null, directEffect: null, ablationEffect: null, ccs: null };
  return { ...entry, label: null, strongest: null, metrics: { ...entry.metrics, ...none } };
}

const blindPicture = <P extends AtlasPicture>(picture: P): P => ({
  ...picture,
  ...{ label: null, factors: {}, path: `image ${picture.row}` },
});
