import { useEffect } from "react";
import type { App, ImageInfo } from "./api.ts";
import type { Navigate, Settled, ViewState } from "./url.ts";

/** Before a text is given: the example's, or what a picture of a corpus shows. Of an upload nothing is known. */
export function defaultTexts(app: App, image: string, label: string | null): readonly string[] {
  if (image === app.example.image && app.example.texts.length > 0) return app.example.texts;
  return label === null ? [] : [`${/^[aeiou]/i.test(label) ? "an" : "a"} ${label}`];
}

/**
 * An address's state with what this server takes where it says nothing.
 * @param known the image, once it is; until then `meanwhile` stands for what it shows
 */
export function settledState(
  state: ViewState,
  app: App,
  known: ImageInfo | undefined,
  meanwhile: readonly string[],
): Settled {
  const image = state.image ?? app.example.image;
  const texts = known || state.image === null ? defaultTexts(app, image, known?.label ?? null) : meanwhile;
  return {
    ...state,
    image,
    model: state.model ?? app.defaultModel,
    corpus: state.corpus ?? app.defaultCorpus,
    texts: (state.texts ?? texts).slice(0, app.limits.texts),
  };
}

/** Writes defaults into the address once they are known, so that it shows the same on a server that has others. */
export function useCanonical(settled: Settled | undefined, isKnown: boolean, go: Navigate): void {
  useEffect(() => {
    if (!settled || !isKnown) return;
    go(({ model, image, corpus, texts }) => {
      if (model !== null && image !== null && corpus !== null && texts !== null) return {};
      return {
        ...{ model: settled.model, image: settled.image, corpus: settled.corpus },
        ...(texts === null && { texts: settled.texts }),
      };
    }, REPLACE);
  }, [settled, isKnown, go]);
}

const REPLACE = { replace: true } as const;
