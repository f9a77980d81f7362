import type { MeasuredFile } from "../../src/results/metrics.ts";
import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { EVIL, reportOf } from "../../src/study/study.fixture.ts";
import { metricsTerminal } from "../../src/views/metrics/terminal.ts";
import type { Gallery } from "./picture.ts";

async function files(): Promise<MeasuredFile[]> {
  const { models } = await reportOf(["tiny", 3_200_000, 4]);
  const [{ metrics, byLayer, byProperty, baselines, chanceCcs }] = models;
  const folds = { written: 0.1, case: 0.2, plural: 0.3, synonym: 0.4 };
  const folded = { ...metrics, entanglement: folds, duplicates: { ...folds, synonym: 0.35 } };
  const origin = sampleOrigin({ labels: {} });
  const judged = {
    origin,
    model: "tiny",
    labellers: ["tags"],
    judges: ["tags"],
    agreement: null,
    metrics: folded,
    equalHeads: { heads: 4, of: metrics.heads, entanglement: folds, duplicates: folds },
    byLayer,
    byProperty,
  };
  const unjudged = byLayer.map((layer) => ({ ...layer, judged: 0, meanCcs: null, association: null }));
  return [
    { ...judged, baselines, chanceCcs },
    {
      ...judged,
      ...{ model: EVIL, labellers: ["by hand", EVIL], judges: [], baselines: null, chanceCcs: null },
      metrics: { ...metrics, judged: 0, meanCcs: null, association: null, low: null },
      equalHeads: { heads: 4, of: 4, entanglement: folds, duplicates: folds },
      byLayer: [...unjudged, { ...unjudged[0], name: "L1" }],
      byProperty: [],
    },
  ];
}

export const metrics: Gallery = {
  title: "Metrics of labels",
  pictures: [
    {
      name: "metrics/terminal-80.txt",
      shows: "two files: one judged, beside random texts; one that nobody judged",
      draw: async () => metricsTerminal({ files: await files() }, { columns: 80 }),
    },
    {
      name: "metrics/terminal-50.txt",
      shows: "the same on a narrow terminal",
      draw: async () => metricsTerminal({ files: await files() }, { columns: 50 }),
    },
    {
      name: "metrics/terminal-no-baselines.txt",
      shows: "judged, with nothing beside it",
      draw: async () =>
        metricsTerminal(
          { files: [{ ...(await files())[0], baselines: null, chanceCcs: null, equalHeads: null }] },
          { columns: 80 },
        ),
    },
  ],
};
