import { loadClipModel } from "./src/model/clip-model.ts";
import { locateModel } from "./src/model/registry.ts";
import { worldIndex } from "./src/corpus/world-index.ts";
import { debias } from "./src/analysis/debias/debias.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "./src/analysis/debias/planted-bias.ts";
import { splitByCue } from "./src/analysis/debias/cue-problem.ts";
import { prepareZeroShot } from "./src/analysis/zero-shot/problem.ts";
import { writeFileSync } from "node:fs";
const p = (s) => `${(100 * s.share).toFixed(1)} [${(100 * s.low).toFixed(1)}, ${(100 * s.high).toFixed(1)}]`;
for (const name of process.argv.slice(2)) {
  const model = await loadClipModel((await locateModel(name)).folder, name);
  const t = Date.now();
  const index = await worldIndex(model, { split: "balanced", images: 6000, cacheFolder: "/tmp/w17-debias/cache" });
  const grouped = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE] });
  const problem = splitByCue(grouped, PLANTED_CUE);
  console.log(name, "index", Date.now() - t); 
  const r = await debias(model, problem, { random: 100, cueProbes: await cueProbes(model, problem, [], (x) => model.encodeTexts(x)) });
  console.log("total", Date.now() - t);
  writeFileSync(`/tmp/w17-debias/debias-${name}.json`, JSON.stringify(r));
  console.log("before", p(r.before.test.average), p(r.before.test.worst), r.before.test.worst.name);
  for (const s of r.selections) console.log(s.selection, s.chosen.map((h) => h.name).join(" "), p(s.outcome.test.average), p(s.outcome.test.worst), s.outcome.test.worst.name, s.controls.map((c) => `${(100 * c.worst.most).toFixed(1)} (${Math.round(c.worst.atLeast * c.worst.draws)} of ${c.worst.draws}${c.worst.exhaustive ? " all" : ""})`).join(" / "));
  for (const b of r.baselines) console.log(b.baseline, b.directions, "val", p(b.outcome.validation.worst), "test", p(b.outcome.test.average), p(b.outcome.test.worst), b.outcome.test.worst.name, "lead", [b.lead.mean, b.lead.low, b.lead.high].map((x) => (100 * x).toFixed(1)).join(" "));
}
process.exit(0);
