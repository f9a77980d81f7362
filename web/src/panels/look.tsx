import { useEffect, useMemo, useState } from "react";
import { headName } from "../../../src/model/components.ts";
import { anyBeyond, sharedLimit } from "../../../src/views/explanation/words.ts";
import { largestOf, signedPaint } from "../../../src/views/kit/panel.ts";
import { decimalsFor, formatCosine, formatError, formatSigned } from "../../../src/views/kit/text.ts";
import { lookExports } from "../exports/look.ts";
import { ColourBar } from "../plots/colour-bar.tsx";
import { HeatPicture } from "../plots/heat-picture.tsx";
import { Matrix } from "../plots/matrix.tsx";
import { headsAtPatch, sumOfHeads } from "../plots/paint.ts";
import { pictureUrl } from "../state/api.ts";
import { type Chosen, formatHeads, headsInWords, orAll, parseHeads } from "../state/heads.ts";
import { type Follows, follows, inWords } from "../state/know.ts";
import { useExplain, useImage, useInsights, useProperties, useTokens } from "../state/queries.ts";
import { Exports } from "./exports.tsx";
import { HeadChooser } from "./head-chooser.tsx";
import { MapControls } from "./map-controls.tsx";
import { PhotoNotice } from "./model-picker.tsx";
import { NearestOfHeads } from "./nearest-of-heads.tsx";
import { Picker } from "./picker.tsx";
import { ProblemNote } from "./problem.tsx";
import { Texts } from "./texts.tsx";
import type { ViewProps } from "./view.ts";

/** The view with all three axes: which heads, where in the picture, and which other pictures. */
export function Look({ state, go, app, model, image, texts, ready }: ViewProps) {
  const { layers, heads } = model;
  const { data: known, error: imageError } = useImage(image);
  const subject = { model: model.name, image: known ? image : undefined };
  const explained = useExplain(subject, texts);
  const on = Math.min(state.on, Math.max(0, texts.length - 1));
  const text = texts[on];
  const tokens = useTokens(subject, text);
  const { data: insights } = useInsights(model.name, state.corpus, ready);
  const { data: named } = useProperties(model.name, state.corpus, ready);
  const properties = named?.properties ?? [];
  const fromAddress = useMemo(
    () => parseHeads(state.heads, { layers, heads }, named?.properties),
    [state.heads, layers, heads, named],
  );
  const [dragged, setDragged] = useState<Chosen | null>(null);
  const chosen = dragged ?? fromAddress;
  // A drag over cells is one step to go back to.
  useEffect(() => {
    if (!dragged) return;
    const write = () => {
      go({ heads: formatHeads(dragged, { layers, heads }) });
      setDragged(null);
    };
    const timer = setTimeout(write, 180);
    return () => clearTimeout(timer);
  }, [dragged, go, layers, heads]);
  const [hovered, setHovered] = useState<number | null>(null);
  const [patch, setPatch] = useState<number | null>(null);

  const explanation = explained.data?.texts.find((one) => one.text === text);
  const map = tokens.data?.text === text || tokens.isPlaceholderData ? tokens.data : undefined;
  const every = useMemo(() => Array.from({ length: layers * heads }, (_, unit) => unit), [layers, heads]);
  const shownUnits = hovered !== null ? [hovered] : chosen.size > 0 ? [...chosen] : every;
  const unitsKey = shownUnits.join();
  const view = useMemo(() => {
    if (!map || map.layers !== layers || map.heads !== heads) return undefined;
    const values = sumOfHeads(map, unitsKey.split(",").map(Number));
    const limit = largestOf(values.flat());
    return { limit, paint: signedPaint(values, limit, { squares: state.squares }) };
  }, [map, unitsKey, state.squares, layers, heads]);
  const atPatch = map && patch !== null ? headsAtPatch(map, patch) : null;

  const about = (unit: number) => {
    const labels = properties.filter(
      ({ source, heads: own }) => source === "label" && own.some((head) => head.name === nameOf(unit)),
    );
    return [
      labels.length > 0 ? `Labelled ${labels.map(({ name }) => `“${name}”`).join(", ")}.` : "",
      insights ? followsInWords(follows(insights, nameOf(unit)), insights.selectivity.images) : "",
    ].join(" ");
  };
  const nameOf = (unit: number) => headName(Math.floor(unit / heads), unit % heads);
  const isPhoto = model.embedded && !/^(demo|scenes):/.test(image);
  const picked = (next: string) => go({ image: next, tour: 0 });
  const score = explanation?.heads.reduce(
    (sum, { layer, head, value }) => sum + (shownUnits.includes(layer * heads + head) ? value : 0),
    0,
  );

  return (
    <div className="look">
      <section className="picture-side" aria-label="The picture">
        {imageError ? (
          <ProblemNote error={imageError} />
        ) : (
          <HeatPicture
            src={pictureUrl(image, 512)}
            alt={`${known?.label ?? "The picture"}, with ${headsInWords(new Set(shownUnits), model)} painted where they speak for or against “${text ?? ""}”`}
            place={map}
            paint={view?.paint}
            opacity={state.opacity}
            marked={patch}
            onMark={setPatch}
          />
        )}
        {view && (
          <>
            <p className="caption">
              <img src={pictureUrl(image, 160)} alt="Without the map" width={56} />
              Where {headsInWords(new Set(shownUnits), model)} {shownUnits.length === 1 ? "speaks" : "speak"}{" "}
              for (red) or against (blue) <q>{text}</q>
            </p>
            <ColourBar limit={view.limit} low="against the text" high="for the text" />
            <MapControls state={state} go={go} />
          </>
        )}
        <Picker model={model.name} mostBytes={app.limits.uploadBytes} onPick={picked} />
      </section>

      <section className="matrix-side" aria-label="What each head contributed">
        {isPhoto && (
          <PhotoNotice
            model={model.name}
            certain={!image.startsWith("upload:")}
            onPick={(name) => go({ model: name, heads: "" })}
          />
        )}
        <Texts
          texts={texts}
          most={app.limits.texts}
          on={on}
          truncated={explained.data?.truncated?.filter((cut) => texts.includes(cut.text))}
          scores={texts.map((one) => explained.data?.texts.find((found) => found.text === one)?.similarity)}
          onChange={(next, index) => go({ texts: next, on: index })}
        />
        {explained.error && <ProblemNote error={explained.error} />}
        {tokens.error && !explained.error && <ProblemNote error={tokens.error} />}
        {texts.length === 0 && (
          <p className="empty">Add a text: each head will say how much it speaks for it.</p>
        )}
        {explanation && (
          <>
            <h2 className="score">
              <q>{explanation.text}</q> fits this picture with a score of{" "}
              <strong data-testid="score">{formatCosine(explanation.similarity)}</strong>
            </h2>
            <p className="reading">
              {patch !== null && atPatch ? (
                <>
                  <strong>What each head wrote at the marked patch.</strong> Together{" "}
                  {formatSigned(
                    atPatch.reduce((sum, value) => sum + value, 0),
                    4,
                  )}
                  .
                </>
              ) : (
                <>
                  The score is the sum of these squares: each is one attention head, and says how much that
                  head speaks <b className="for">for</b> or <b className="against">against</b> the text. Move
                  over a square to see where it looked; click to choose it.
                </>
              )}
            </p>
            <Matrix
              layers={layers}
              heads={heads}
              values={atPatch ?? explanation.heads.map(({ value }) => value)}
              mlps={atPatch ? null : explanation.mlps.map(({ value }) => value)}
              limit={atPatch ? largestOf(atPatch) : sharedLimit([explanation])}
              chosen={chosen}
              hovered={hovered}
              onChoose={setDragged}
              onHover={setHovered}
              about={about}
            />
            <ColourBar
              limit={atPatch ? largestOf(atPatch) : sharedLimit([explanation])}
              low="against"
              high="for the text"
              clipped={!atPatch && anyBeyond([explanation], sharedLimit([explanation]))}
            />
            <p className="sum" data-testid="sum">
              The parts add up to {formatSigned(explanation.sum, 4)}; the score computed directly is{" "}
              {formatSigned(explanation.similarity, 4)} (off by {formatError(explanation.error)}).
            </p>
            <HeadChooser
              layers={layers}
              heads={heads}
              chosen={chosen}
              properties={properties}
              onWrite={(written) => {
                const set = parseHeads(written, model, properties);
                go({ heads: formatHeads(set, model) });
              }}
            />
            <HeadFacts
              units={shownUnits}
              all={layers * heads}
              nameOf={nameOf}
              about={about}
              score={score ?? 0}
              whole={explanation.similarity}
            />
          </>
        )}
        {explained.data && known && map && view && (
          <Exports
            name={`look-${known.sha256.slice(0, 8)}`}
            make={() =>
              lookExports(
                { image, text, heads: orAll(formatHeads(chosen, model)), corpus: state.corpus },
                explained.data,
                { opacity: state.opacity / 100, squares: state.squares },
              )
            }
          />
        )}
      </section>

      <NearestOfHeads
        state={state}
        go={go}
        model={model}
        image={image}
        known={known}
        ready={ready}
        heads={formatHeads(chosen, model)}
        inWords={headsInWords(chosen, model)}
        insights={insights ?? undefined}
      />
    </div>
  );
}

/** What the heads that are shown add, and what one of them is known to follow. */
function HeadFacts(props: {
  units: readonly number[];
  all: number;
  nameOf: (unit: number) => string;
  about: (unit: number) => string;
  score: number;
  whole: number;
}) {
  const { units, all, nameOf, about, score, whole } = props;
  if (units.length === all) return null;
  const share = formatSigned(score, decimalsFor(Math.abs(score)));
  return (
    <p className="facts" aria-live="polite">
      <strong>{units.length === 1 ? nameOf(units[0]) : `These ${units.length} heads`}</strong>{" "}
      {units.length === 1 ? "adds" : "add"} <strong>{share}</strong> of the {formatCosine(whole)}.{" "}
      {units.length === 1 && about(units[0])}
    </p>
  );
}

/** `It follows the colour behind: 76 % …`. */
function followsInWords(found: readonly Follows[], images: number): string {
  if (found.length === 0) return "";
  const [first, ...rest] = found;
  const percent = ({ share }: Follows) => `${Math.round(100 * share)} %`;
  const others = rest.slice(0, 2).map((one) => `${inWords(one.factor)} (${percent(one)})`);
  const more = others.length > 0 ? `; then ${others.join(", ")}` : "";
  const against = first.sign === -1 ? " It speaks against the text of what it sees." : "";
  return `Over ${images.toLocaleString("en")} pictures, ${percent(first)} of what this head writes follows ${inWords(first.factor)}${more}.${against}`;
}
