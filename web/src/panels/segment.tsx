import { useMemo } from "react";
import { seesAll, shownSize } from "../../../src/views/kit/panel.ts";
import { formatError, formatSigned } from "../../../src/views/kit/text.ts";
import { segmentationPaints } from "../../../src/views/segmentation/pictures.ts";
import {
  captionOf,
  cosineInWords,
  leadInWords,
  limitsOf,
  setInWords,
} from "../../../src/views/segmentation/words.ts";
import { segmentCommand } from "../exports/command.ts";
import { segmentExports } from "../exports/segment.ts";
import { ColourBar } from "../plots/colour-bar.tsx";
import { HeatPicture } from "../plots/heat-picture.tsx";
import { Said } from "../plots/said.tsx";
import { Swatch } from "../plots/swatch.tsx";
import { pictureUrl } from "../state/api.ts";
import { formatHeads, orAll, readHeads } from "../state/heads.ts";
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
export function Segment({ state, go, app, model, pick, ready }: ViewProps) {
  const { image, texts } = state;
  const { data: known, error: imageError } = useImage(image);
  const named = useProperties(model.name, state.corpus, ready);
  const properties = named.data?.properties ?? [];
  const read = readHeads(state.heads, model, properties);
  // What may be a property's name is not unreadable before properties are known.
  const problem = named.isPending ? null : read.problem;
  const isUnread = read.problem !== null;
  const heads = orAll(formatHeads(read.chosen, model));
  const mode = texts.length < 2 ? "topic" : state.mode;
  const asked = { texts, heads, mode, scale: state.scale, corpus: state.corpus };
  const subject = { model: model.name, image: known && !isUnread ? image : undefined };
  const { data, error, isPlaceholderData } = useSegment(subject, asked);
  const isPhoto = model.embedded && !/^(demo|scenes):/.test(image);
  const { squares, opacity } = state;
  const paints = useMemo(() => data && segmentationPaints(data, { squares }), [data, squares]);
  const limits = data ? limitsOf(data) : [];
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
          <Picker model={model.name} mostBytes={app.limits.uploadBytes} onPick={pick} />
          <Texts
            texts={texts}
            most={app.limits.texts}
            truncated={data?.truncated?.filter((cut) => texts.includes(cut.text))}
            onChange={(next) => go({ texts: next, on: 0 })}
          />
        </div>
      </section>
      <section className="controls how" aria-label="How it is looked for">
        <Choice
          title="Ask"
          name="mode"
          value={mode}
          onChoose={(next) => go({ mode: next })}
          choices={[
            ["topic", "where is each text?", "topic"],
            [
              "contrast",
              "where does each text lead the others?",
              "contrastive; two texts or more",
              texts.length < 2,
            ],
          ]}
        />
        <HeadChooser
          model={model}
          written={state.heads}
          read={{ ...read, problem }}
          properties={properties}
          onWrite={(next) => go({ heads: next })}
        />
        {texts.length > 1 && (
          <Choice
            title="Colours"
            name="scale"
            value={state.scale}
            onChoose={(scale) => go({ scale })}
            choices={[
              ["common", "one scale for all maps", "so that maps can be compared"],
              ["own", "each map on its own scale", "so that faint maps show"],
            ]}
          />
        )}
        <MapControls state={state} go={go} />
      </section>
      {imageError && (
        <ProblemNote error={imageError}>
          <button type="button" onClick={() => go({ image: null, texts: null })}>
            Show the first picture
          </button>
        </ProblemNote>
      )}
      {error && <ProblemNote error={error} />}
      {texts.length === 0 && <p className="empty">Add a text: its map shows where the heads see it.</p>}
      {!data && !error && !imageError && !isUnread && texts.length > 0 && (
        <p className="waiting">Looking for {texts.length === 1 ? "the text" : "the texts"}…</p>
      )}
      {data && paints && known && !isUnread && (
        <>
          <p className="reading">
            Through {setInWords(data)}. {captionOf(data)}
          </p>
          <div className={isPlaceholderData ? "maps stale" : "maps"}>
            <figure>
              <HeatPicture
                src={pictureUrl(image, 512)}
                alt={known.label ?? "the picture"}
                place={data}
                opacity={0}
              />
              <figcaption>
                <strong>the picture</strong>
                <span>
                  {known.width} × {known.height} pixels;{" "}
                  {seesAll(shownSize(data))
                    ? "the model sees all of it"
                    : "what is faded the model does not see"}
                </span>
              </figcaption>
            </figure>
            {data.texts.map((one, i) => (
              <figure key={one.text} data-testid="map">
                <HeatPicture
                  src={pictureUrl(image, 512)}
                  alt={`Map of “${one.text}”`}
                  place={data}
                  paint={paints.texts[i]}
                  opacity={opacity}
                />
                <figcaption>
                  <strong>
                    <Said text={one.text} />
                  </strong>
                  <ColourBar
                    limit={limits[i]}
                    low={data.mode === "topic" ? "against the text" : "the others lead"}
                    high={data.mode === "topic" ? "for the text" : "this text leads"}
                  />
                  <span>
                    heads’ score {formatSigned(one.score, 4)} = patches {formatSigned(one.patches, 4)}
                    {one.cls !== null && ` + CLS ${formatSigned(one.cls, 4)}`} (off by{" "}
                    {formatError(one.error)}); {cosineInWords(data, one)}
                  </span>
                </figcaption>
              </figure>
            ))}
            {data.winners && (
              <figure data-testid="winners">
                <HeatPicture
                  src={pictureUrl(image, 512)}
                  alt="Which text leads where"
                  place={data}
                  paint={paints.winners}
                  opacity={opacity}
                />
                <figcaption>
                  <strong>which text leads where</strong>
                  <ul className="legend">
                    {data.texts.map(({ text }, i) => (
                      <li key={text}>
                        <Swatch index={i} />
                        <bdi>{text}</bdi>: {data.winners?.counts[i]} of {data.grid.rows * data.grid.columns}{" "}
                        patches
                      </li>
                    ))}
                  </ul>
                  <span>{leadInWords(data.winners)}</span>
                </figcaption>
              </figure>
            )}
          </div>
          <Exports
            name={`segment-${known.sha256.slice(0, 8)}`}
            {...{ state, image, known }}
            command={segmentCommand({ ...state, mode }, known, heads)}
            make={() => segmentExports(image, data, { opacity: opacity / 100, squares })}
          />
        </>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly title: string;
  readonly name: string;
  readonly value: T;
  readonly choices: readonly (readonly [value: T, words: string, about: string, disabled?: boolean])[];
  readonly onChoose: (value: T) => void;
}

/** One of a few answers. */
function Choice<T extends string>({ title, name, value, choices, onChoose }: ChoiceProps<T>) {
  return (
    <fieldset className="modes">
      <legend>{title}</legend>
      {choices.map(([choice, words, about, disabled = false]) => (
        <label key={choice}>
          <input
            type="radio"
            name={name}
            checked={value === choice}
            disabled={disabled}
            onChange={() => onChoose(choice)}
          />{" "}
          {words} <small>({about})</small>
        </label>
      ))}
    </fieldset>
  );
}
