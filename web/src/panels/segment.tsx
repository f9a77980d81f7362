import { useMemo } from "react";
import { type Paint, paintWinners } from "../../../src/views/kit/heatmap.ts";
import { formatCosine, formatError, formatSigned } from "../../../src/views/kit/text.ts";
import { segmentExports, WINNER_COLOURS } from "../exports/segment.ts";
import { ColourBar } from "../plots/colour-bar.tsx";
import { HeatPicture } from "../plots/heat-picture.tsx";
import { largest, mapPaint } from "../plots/paint.ts";
import { pictureUrl, type SegmentResult } from "../state/api.ts";
import { formatHeads, headsInWords, orAll, parseHeads } from "../state/heads.ts";
import { useImage, useProperties, useSegment } from "../state/queries.ts";
import { Exports } from "./exports.tsx";
import { HeadChooser } from "./head-chooser.tsx";
import { MapControls } from "./map-controls.tsx";
import { PhotoNotice } from "./model-picker.tsx";
import { Picker } from "./picker.tsx";
import { ProblemNote } from "./problem.tsx";
import { Texts } from "./texts.tsx";
import type { ViewProps } from "./view.ts";

/** Where each text is in the picture: each alone, or each against the others. */
export function Segment({ state, go, app, model, image, texts, ready }: ViewProps) {
  const { data: known, error: imageError } = useImage(image);
  const { data: named } = useProperties(model.name, state.corpus, ready);
  const properties = named?.properties ?? [];
  const chosen = parseHeads(state.heads, model, properties);
  const heads = orAll(formatHeads(chosen, model));
  const mode = texts.length < 2 ? "topic" : state.mode;
  const asked = { texts, heads, mode, corpus: state.corpus };
  const { data, error } = useSegment({ model: model.name, image: known ? image : undefined }, asked);
  const isPhoto = model.embedded && !/^(demo|scenes):/.test(image);
  const limit = useMemo(() => largest(data?.texts.flatMap(({ values }) => values.flat()) ?? []), [data]);
  const paints = useMemo(
    () =>
      data?.texts.map(({ values }) => mapPaint(values.flat(), data.grid.rows, limit, state.squares)) ?? [],
    [data, limit, state.squares],
  );
  const winners = useMemo(() => (data ? winnerPaint(data) : undefined), [data]);
  const place = data && { ...data.original, grid: data.grid.rows, placement: data.placement };
  const words = headsInWords(chosen, model);
  return (
    <div className="segment">
      <section className="controls" aria-label="What is looked for">
        {isPhoto && (
          <PhotoNotice
            model={model.name}
            certain={!image.startsWith("upload:")}
            onPick={(name) => go({ model: name, heads: "" })}
          />
        )}
        <div className="control-row">
          <Picker
            model={model.name}
            mostBytes={app.limits.uploadBytes}
            onPick={(next) => go({ image: next })}
          />
          <Texts texts={texts} most={app.limits.texts} onChange={(next) => go({ texts: next, on: 0 })} />
        </div>
        <fieldset className="modes">
          <legend>Ask</legend>
          <label>
            <input
              type="radio"
              name="mode"
              checked={mode === "topic"}
              onChange={() => go({ mode: "topic" })}
            />{" "}
            where is each text? <small>(topic)</small>
          </label>
          <label>
            <input
              type="radio"
              name="mode"
              checked={mode === "contrast"}
              disabled={texts.length < 2}
              onChange={() => go({ mode: "contrast" })}
            />{" "}
            where does each text lead the others? <small>(contrastive; two texts or more)</small>
          </label>
        </fieldset>
        <HeadChooser
          layers={model.layers}
          heads={model.heads}
          chosen={chosen}
          properties={properties}
          onWrite={(written) => go({ heads: formatHeads(parseHeads(written, model, properties), model) })}
        />
        <MapControls state={state} go={go} />
      </section>
      {(imageError ?? error) && <ProblemNote error={imageError ?? error} />}
      {texts.length === 0 && <p className="empty">Add a text: its map shows where the heads see it.</p>}
      {data && known && (
        <>
          <p className="reading">
            Each patch of the {data.grid.rows} × {data.grid.rows} that the model reads is coloured by what{" "}
            {words} wrote there{" "}
            {data.mode === "topic"
              ? "towards the text"
              : "towards the text, less what they wrote towards the others on average"}
            . The patches and the CLS token (which has no place) add up to the score.
          </p>
          <div className="maps">
            <figure>
              <HeatPicture
                src={pictureUrl(image, 512)}
                alt={known.label ?? "the picture"}
                place={place}
                opacity={0}
              />
              <figcaption>
                <strong>the picture</strong>
                <span>
                  {known.width} × {known.height} pixels; what is faded the model does not see
                </span>
              </figcaption>
            </figure>
            {data.texts.map(({ text, score, patches, cls, error: off, similarity }, i) => (
              <figure key={text} data-testid="map">
                <HeatPicture
                  src={pictureUrl(image, 512)}
                  alt={`Map of “${text}”`}
                  place={place}
                  paint={paints[i]}
                  opacity={state.opacity}
                />
                <figcaption>
                  <strong>
                    <q>{text}</q>
                  </strong>
                  <span>
                    heads’ score {formatSigned(score, 4)} = patches {formatSigned(patches, 4)} + CLS{" "}
                    {formatSigned(cls, 4)} (off by {formatError(off)}); whole picture{" "}
                    {formatCosine(similarity)}
                  </span>
                </figcaption>
              </figure>
            ))}
            {winners && data.winners && (
              <figure>
                <HeatPicture
                  src={pictureUrl(image, 512)}
                  alt="Which text leads where"
                  place={place}
                  paint={winners}
                  opacity={state.opacity}
                />
                <figcaption>
                  <strong>which text leads where</strong>
                  <ul className="legend">
                    {data.texts.map(({ text }, i) => (
                      <li key={text}>
                        <span
                          className="swatch"
                          style={{ background: WINNER_COLOURS[i % WINNER_COLOURS.length] }}
                        />
                        {text}: {data.winners?.counts[i]} of {data.grid.rows ** 2} patches
                      </li>
                    ))}
                  </ul>
                </figcaption>
              </figure>
            )}
          </div>
          <ColourBar
            limit={limit}
            low={data.mode === "topic" ? "against the text" : "the others lead"}
            high={data.mode === "topic" ? "for the text" : "this text leads"}
          />
          <Exports
            name={`segment-${known.sha256.slice(0, 8)}`}
            make={() =>
              segmentExports({
                ...{
                  app,
                  model,
                  state,
                  image: known,
                  found: data,
                  limit,
                  paints,
                  heads,
                  headCount: data.heads.length,
                },
                ...(winners && { winners }),
              })
            }
          />
        </>
      )}
    </div>
  );
}

/** Paint for the text whose map is highest. A contrast's differences have the same winner. */
function winnerPaint({ texts, winners, grid }: SegmentResult): Paint | undefined {
  if (!winners) return undefined;
  const grids = texts.map(({ values }) => ({
    values: values.flat(),
    rows: grid.rows,
    columns: grid.columns,
  }));
  const colours = texts.map((_, i) => WINNER_COLOURS[i % WINNER_COLOURS.length]);
  return paintWinners(grids, colours, largest(winners.margin.flat()));
}
