import { basename } from "node:path";
import { z } from "zod";
import { spread } from "../../corpus/root.ts";
import { imageId } from "../../corpus/rows.ts";
import { everyRow } from "../../corpus/sharded-index.ts";
import { appSchema, MOST_TEXTS, modelDetailSchema } from "../../results/app.ts";
import { modelsResult, modelsResultSchema } from "../../results/models.ts";
import { originOf } from "../../results/origin.ts";
import { VERSION } from "../../support/version.ts";
import { EXAMPLE_SCENE } from "../../world/example-scene.ts";
import { describeModel } from "../model-detail.ts";
import { type AddRoutes, getRoute, type Services } from "./route.ts";

/** The corpus of example scenes, and the one that is shown first as it has it. */
const SCENES = "scenes";
/** The image that is shown before any other. */
export const EXAMPLE = `${SCENES}:${imageId(`images/${basename(EXAMPLE_SCENE.path)}`)}`;

/** Pictures to start from. */
const MOST_STARTS = 12;

/** What is shown and searched first: people's own pictures where a corpus of them is the default. */
async function firstShown({ corpora }: Services) {
  const defaultCorpus = corpora.defaultName();
  const shown = corpora.spec(defaultCorpus).world ? SCENES : defaultCorpus;
  const opened = await corpora.open(shown).catch(() => corpora.open(SCENES));
  const some = await opened.rows(spread(everyRow(opened), MOST_STARTS));
  const starts = some.map(({ id }) => `${shown}:${id}`);
  const [first = EXAMPLE] = starts;
  const example =
    shown === SCENES ? { image: EXAMPLE, texts: [...EXAMPLE_SCENE.texts] } : { image: first, texts: [] };
  return { defaultCorpus, example, starts };
}

/** What there is to ask: the program, the models. */
export const addModelRoutes: AddRoutes = (app, services) => {
  const { models, limits } = services;
  app.openapi(getRoute("/api/app", "What the page needs to start", appSchema), async (context) =>
    context.json(
      {
        version: VERSION,
        defaultModel: models.defaultModel,
        reports: [...services.reports, ...(await services.comparisons.reports())].map(({ id, title }) => ({
          id,
          title,
        })),
        ...(await firstShown(services)),
        limits: { uploadBytes: limits.uploadBytes, pixels: limits.pixels, texts: MOST_TEXTS },
      },
      200,
    ),
  );
  app.openapi(
    getRoute("/api/models", "Every model that can be named, and which are here", modelsResultSchema),
    async (context) => context.json(modelsResult(await originOf({}), { models: await models.list() }), 200),
  );
  const query = z.object({ name: z.string().max(200).optional() });
  app.openapi(getRoute("/api/model", "One model, loaded", modelDetailSchema, { query }), async (context) => {
    const { name = models.defaultModel } = context.req.valid("query");
    return context.json(modelDetailSchema.parse(await describeModel(await models.load(name))), 200);
  });
};
