import { z } from "zod";
import { appSchema, MOST_TEXTS, modelDetailSchema } from "../../contract/app.ts";
import { modelsResultSchema } from "../../contract/models.ts";
import { VERSION } from "../../support/version.ts";
import { describeModel } from "../models.ts";
import { type AddRoutes, getRoute } from "./route.ts";

/** What there is to ask: the program, the models. */
export const addModelRoutes: AddRoutes = (app, { models, limits }) => {
  app.openapi(getRoute("/api/app", "What the page needs to start", appSchema), (context) =>
    context.json(
      {
        version: VERSION,
        defaultModel: models.defaultModel,
        limits: { uploadBytes: limits.uploadBytes, pixels: limits.pixels, texts: MOST_TEXTS },
      },
      200,
    ),
  );
  app.openapi(
    getRoute("/api/models", "Every model that can be named, and which are here", modelsResultSchema),
    async (context) => context.json(modelsResultSchema.parse({ models: await models.list() }), 200),
  );
  const query = z.object({ name: z.string().max(200).optional() });
  app.openapi(getRoute("/api/model", "One model, loaded", modelDetailSchema, { query }), async (context) => {
    const { name = models.defaultModel } = context.req.valid("query");
    return context.json(modelDetailSchema.parse(await describeModel(await models.load(name))), 200);
  });
};
