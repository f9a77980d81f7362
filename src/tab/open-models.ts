/** Models in a tab's memory, which is WebAssembly's: what is not released there is never given back. */
import type { ClipModel } from "../model/clip-model.ts";
import { ClipInterpretError } from "../support/errors.ts";

/** Models that are open, by what questions call them. */
export interface OpenModels {
  /** @throws what loading throws; `MODEL_BUSY` where the one whose place it would take is at work */
  open(name: string): Promise<ClipModel>;
  /** Frees one. @throws `MODEL_BUSY` where it is at work */
  close(name: string): Promise<void>;
  /** Frees all. @throws `MODEL_BUSY` where one is at work */
  closeAll(): Promise<void>;
  /** @throws `MODEL_BUSY` where one is at work, which cannot be closed then */
  requireIdle(name: string): void;
}

/** Which models there are. */
export interface ModelsPlace {
  readonly load: (name: string) => Promise<ClipModel>;
  /** Whether it was fetched from elsewhere: of those there is room for one. */
  readonly isLarge: (name: string) => boolean;
  /** What work goes on with a model beside what is asked, in words. */
  readonly workOf: (name: string) => string | undefined;
  /** Where one is computed now; one that was opened elsewhere makes room for it. */
  readonly deviceOf?: (name: string) => string;
}

/** Of those that come with the page; more have others make room, those that were asked least recently. */
const MOST_SMALL = 3;

/** Keeps models open. */
export function createOpenModels({ load, isLarge, workOf, deviceOf }: ModelsPlace): OpenModels {
  /** The one that was asked least recently first. */
  const kept = new Map<string, Promise<ClipModel>>();
  const release = async (name: string) => {
    const model = kept.get(name);
    kept.delete(name);
    await model?.then((one) => one.release()).catch(() => {});
  };
  /** Those whose place another takes. */
  const madeWayBy = (name: string): string[] => {
    const alike = [...kept.keys()].filter((other) => isLarge(other) === isLarge(name));
    if (!isLarge(name))
      return alike
        .filter((other) => workOf(other) === undefined)
        .slice(0, Math.max(0, alike.length + 1 - MOST_SMALL));
    for (const other of alike) requireIdle(other, `beside it there is no room for ${name}`);
    return alike;
  };
  const requireIdle = (name: string, so: string) => {
    const work = workOf(name);
    if (work !== undefined) throw new ClipInterpretError("MODEL_BUSY", `${name} looks at “${work}”: ${so}`);
  };
  const open = async (name: string): Promise<ClipModel> => {
    const known = kept.get(name);
    if (known && deviceOf && (await known).device !== deviceOf(name)) {
      await release(name);
      return open(name);
    }
    if (known) {
      kept.delete(name);
      kept.set(name, known);
      return known;
    }
    const others = madeWayBy(name);
    const model = load(name);
    kept.set(name, model);
    model.catch(() => kept.get(name) === model && kept.delete(name));
    await model;
    for (const other of others) await release(other);
    return model;
  };
  const undeleted = "it cannot be deleted now";
  return {
    open,
    requireIdle: (name) => requireIdle(name, undeleted),
    async close(name) {
      requireIdle(name, undeleted);
      await release(name);
    },
    async closeAll() {
      for (const name of kept.keys()) requireIdle(name, "it cannot move to another device meanwhile");
      for (const name of [...kept.keys()]) await release(name);
    },
  };
}
