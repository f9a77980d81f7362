import {
  bare,
  context,
  hostileOverview,
  hostilePage,
  knowing,
  overview,
  page,
  wordless,
} from "../../src/views/atlas/atlas.fixture.ts";
import {
  factorBars,
  histogram,
  lookMap,
  scatter,
  shareBar,
  textCurve,
} from "../../src/views/atlas/drawings.ts";
import { atlasOverviewHtml } from "../../src/views/atlas/overview.ts";
import { atlasHeadHtml } from "../../src/views/atlas/page.ts";
import { atlasHeadTerminal, atlasTerminal, knowingTerminal } from "../../src/views/atlas/terminal.ts";
import { svgDocument } from "../../src/views/kit/svg.ts";
import type { Gallery } from "./picture.ts";

const metric = (key: string) => overview.metrics.find((one) => one.key === key)!;

export const atlas: Gallery = {
  title: "Atlas",
  pictures: [
    {
      name: "atlas/overview.html",
      shows: "three heads: one of which only the length is known, one towards what it sees, one away from it",
      draw: () => atlasOverviewHtml(overview, context),
    },
    {
      name: "atlas/overview-bare.html",
      shows: "a head of a model without texts over images without factors: what is not known is said",
      draw: () => atlasOverviewHtml(bare, context),
    },
    {
      name: "atlas/overview-hostile.html",
      shows: "labels, texts and factors that are markup: shown as text, and no script but its own",
      draw: () => atlasOverviewHtml(hostileOverview, context),
    },
    {
      name: "atlas/head.html",
      shows: "everything that a page has; one image is gone, and it has no map",
      draw: () => atlasHeadHtml(page, context),
    },
    {
      name: "atlas/head-wordless.html",
      shows: "principal directions instead of texts, no maps, nothing known of the images",
      draw: () => atlasHeadHtml(wordless, context),
    },
    {
      name: "atlas/head-hostile.html",
      shows: "names that are markup everywhere: shown as text",
      draw: () => atlasHeadHtml(hostilePage, context),
    },
    {
      name: "atlas/histogram.svg",
      shows: "scores of all images, red above the mean, with both ends",
      draw: () => svgDocument(histogram(page.directions[0].histogram, 640, 96), "histogram"),
    },
    {
      name: "atlas/look.svg",
      shows: "four by four patches from pale to dark",
      draw: () => svgDocument(lookMap(page.look!, page.grid), "look"),
    },
    {
      name: "atlas/factors.svg",
      shows: "position to the left in blue, count to the right in red, one grey, one pale",
      draw: () => svgDocument(factorBars(page.factors), "factors"),
    },
    {
      name: "atlas/factors-towards.svg",
      shows: "without a head that writes away, bars have the whole width",
      draw: () => svgDocument(factorBars(page.factors.filter(({ sign }) => sign !== -1)), "factors"),
    },
    {
      name: "atlas/share.svg",
      shows: "half of a track, in blue",
      draw: () => svgDocument(shareBar(page.factors[0]), "share"),
    },
    {
      name: "atlas/texts.svg",
      shows: "what texts explain, above what they explain without meaning",
      draw: () => svgDocument(textCurve(page), "texts"),
    },
    {
      name: "atlas/scatter.svg",
      shows: "two heads over two metrics, one below zero; a third lacks a value and is left out",
      draw: () =>
        svgDocument(
          scatter(overview.heads, metric("explained"), metric("sign"), (name) => `${name}.html`),
          "scatter",
        ),
    },
    {
      name: "atlas/terminal.txt",
      shows: "every head on a line",
      draw: () => atlasTerminal(overview),
    },
    {
      name: "atlas/terminal-head.txt",
      shows: "one head in a few lines",
      draw: () => atlasHeadTerminal(page, 5),
    },
    {
      name: "atlas/terminal-knowing.txt",
      shows: "heads that know a text, one of them against it",
      draw: () => knowingTerminal(knowing, 2),
    },
  ],
};
