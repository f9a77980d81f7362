/** Comparisons that pages asked for: the result and its report, each made once for all that it follows from. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { estimatedSeconds, FEWEST } from "../analysis/compare/compare.ts";
import { hashOf } from "../corpus/hash-index.ts";
import { allHeads } from "../model/components.ts";
import type { ComparisonAsked, ComparisonState } from "../results/app.ts";
import { codeVersion } from "../support/code-version.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isFile } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import { fineTuneHtml } from "../views/fine-tune/page.ts";
import { secondsAnImage } from "./atlas.ts";
import type { Corpora, CorpusIndex } from "./corpora.ts";
import type { JobSubject, Jobs } from "./jobs.ts";
import type { ServedModels } from "./models.ts";
import { openReports, type Report } from "./reports.ts";
import type { TaskRunner } from "./threads/task-runner.ts";
import { writeReport } from "./write-report.ts";

/** Two models that a page compares. */
export interface Comparison {
  readonly about: JobSubject;
  /** Its report, or what it would take. @throws `IMAGES_DIFFER` where the corpus has too few images to compare over */
  state(): Promise<ComparisonState>;
  /** Makes what is missing: the indexes, then the result and its report. */
  make(work: WorkOptions): Promise<void>;
}

/** The comparisons of a server. */
export interface Comparisons {
  /** @throws `MODEL_NOT_FOUND`, `NOT_FOUND`, `REQUEST_INVALID` for a model beside itself */
  open(asked: ComparisonAsked): Promise<Comparison>;
  /** Their reports, the newest first. */
  reports(): Promise<readonly Report[]>;
}

/** Reports that are kept; the oldest go. */
const MOST_KEPT = 32;
/** Seconds a head, from weights: a decomposition and texts for its ends. */
const HEAD_SECONDS = 0.5;

/** Directions of a change that are put into words, as `compare --base` has them. */
const DIRECTIONS = 2;

/** @param cache of the server */
export function createComparisons(
  cache: string,
  { corpora, models, jobs, tasks }: { corpora: Corpora; models: ServedModels; jobs: Jobs; tasks: TaskRunner },
): Comparisons {
  const folder = join(cache, "comparisons");
  const open: Comparisons["open"] = async ({ model: name, other: otherName, by, corpus }) => {
    const [model, other] = [await models.load(name), await models.load(otherName)];
    if (model.id === other.id)
      throw new ClipInterpretError("REQUEST_INVALID", "these are one model: choose another to compare with");
    const byWeights = by === "weights";
    const about: JobSubject = {
      kind: "compare",
      title: byWeights ? `Comparing ${model.id} with its base` : `Comparing ${model.id} and ${other.id}`,
      subject: byWeights ? other.id : corpus,
      model: byWeights ? model.id : `${model.id} and ${other.id}`,
    };
    if (!byWeights) corpora.spec(corpus);
    const indexes = () =>
      Promise.all([model, other].map((one) => corpora.index(corpus, one).catch(unlessNotReady)));
    /** Where its files lie; undefined as long as an index is missing. */
    const placeOf = async (found: readonly (CorpusIndex | undefined)[]) => {
      if (!byWeights && found.some((one) => !one?.complete)) return undefined;
      const from = [model, other].map(async (one) => [await one.weightsHash(), one.precision]);
      const over = found.map((one) => one && hashOf(one.index));
      const key = JSON.stringify([by, await codeVersion(), await Promise.all(from), await Promise.all(over)]);
      return join(folder, `comparison-${sha256Of(key).slice(0, 16)}`);
    };
    return {
      about,
      async state() {
        const found = byWeights ? [] : await indexes();
        const file = await placeOf(found);
        if (file !== undefined && (await isFile(`${file}.html`)))
          return { state: "ready", report: file.slice(folder.length + 1) };
        const job = jobs.current("compare", about.subject, about.model)?.id ?? null;
        if (job !== null) return { state: "absent", images: null, seconds: null, job };
        if (byWeights) {
          const { layers, heads } = model.geometry;
          return { state: "absent", images: null, seconds: Math.ceil(HEAD_SECONDS * layers * heads), job };
        }
        const images = await imagesOf(corpora, corpus);
        const missing = [model, other].map(
          (_, side) => images - Math.min(images, found[side]?.index.images.length ?? 0),
        );
        const each = await Promise.all(
          [model, other].map((one, side) => (missing[side] === 0 ? 0 : secondsAnImage(one))),
        );
        const looking = missing.reduce((sum, n, side) => sum + n * each[side], 0);
        return {
          ...{ state: "absent", job, images: missing[0] + missing[1] },
          seconds: Math.ceil(looking + estimatedSeconds(model.geometry, other.geometry, images)),
        };
      },
      async make(work) {
        if (byWeights) {
          const file = (await placeOf([]))!;
          const set = allHeads(model.geometry);
          const asking = { base: other.place, model: model.place, set, directions: DIRECTIONS };
          const found = await tasks.run("fineTune", asking, work);
          await writeReport(file, found, fineTuneHtml(found));
        } else {
          for (const one of [model, other]) await corpora.prepare(corpus, one, work);
          const [a, b] = [await corpora.index(corpus, model), await corpora.index(corpus, other)];
          const file = (await placeOf([a, b]))!;
          await tasks.run("compare", { sides: [a.place, b.place], file }, work);
        }
        await removeOldest(folder);
      },
    };
  };
  return {
    open,
    async reports() {
      const pages = (await newestFirst(folder)).filter((name) => name.endsWith(".html"));
      const opened = pages.map((name) => openReports([join(folder, name)]).catch(() => []));
      return (await Promise.all(opened)).flat();
    },
  };
}

/** The images of a corpus, also before it is made. */
async function imagesOf(corpora: Corpora, corpus: string): Promise<number> {
  const made = await corpora.open(corpus).catch(unlessNotReady);
  const images = made?.images.length ?? corpora.spec(corpus).world?.images ?? 0;
  if (images < FEWEST) {
    throw new ClipInterpretError(
      "IMAGES_DIFFER",
      `heads are compared over ${FEWEST} images or more, and “${corpora.spec(corpus).title}” has ${images}`,
      { hint: "Choose a larger collection." },
    );
  }
  return images;
}

function unlessNotReady(error: unknown): undefined {
  if (error instanceof ClipInterpretError && error.code === "CORPUS_NOT_READY") return undefined;
  throw error;
}

async function newestFirst(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(join(folder, name))).mtimeMs })),
  );
  return dated.sort((a, b) => b.time - a.time).map(({ name }) => name);
}

/** Two files a report. */
async function removeOldest(folder: string): Promise<void> {
  for (const name of (await newestFirst(folder)).slice(2 * MOST_KEPT))
    await rm(join(folder, name), { force: true });
}
