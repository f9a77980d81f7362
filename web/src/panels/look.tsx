import { useEffect, useMemo, useState } from "react";
import { largestOf, signedPaint } from "../../../src/views/kit/panel.ts";
import { lookCommand } from "../exports/command.ts";
import { lookExports } from "../exports/look.ts";
import { ColourBar } from "../plots/colour-bar.tsx";
import { HeatPicture } from "../plots/heat-picture.tsx";
import { headsAtPatch, sumOfHeads, tokensOf } from "../plots/paint.ts";
import { Said } from "../plots/said.tsx";
import { pictureUrl } from "../state/api.ts";
import { calledUnit } from "../state/atlas.ts";
import { type Chosen, chosenOf, formatHeads, headsInWords, orAll, readHeads } from "../state/heads.ts";
import { numbersOf } from "../state/numbers.ts";
import {
  useCorpora,
  useExplain,
  useImage,
  useInsights,
  useLabels,
  useMeans,
  useProperties,
  useTokens,
  useWithout,
  useWords,
} from "../state/queries.ts";
import { Compare, WithoutTable } from "./compare.tsx";
import { Exports } from "./exports.tsx";
import { HeadChooser } from "./head-chooser.tsx";
import { aboutHead, HeadFacts } from "./head-facts.tsx";
import { LookMatrix } from "./look-matrix.tsx";
import { LookWords, useLitWord } from "./look-words.tsx";
import { MapControls } from "./map-controls.tsx";
import { PhotoNotice } from "./model-picker.tsx";
import { NearestOfHeads } from "./nearest-of-heads.tsx";
import { Picker } from "./picker.tsx";
import { ProblemNote } from "./problem.tsx";
import { Texts } from "./texts.tsx";
import type { ViewProps } from "./view.ts";
import { type Pair, WordHeads } from "./word-heads.tsx";

/** A patch that stays marked, and what it is a patch of. */
interface Kept {
  readonly of: string;
  readonly patch: number;
}

/** Words are parts of one text's own score: what is taken off it has words or no place of its own. */
function wordsNote(text: string, held: string | null, less: boolean): string | null {
  if (held !== null)
    return `The words are those of “${text}”, and add the same here; what “${held}” takes off is not split into words.`;
  if (less)
    return "The words add to the whole score; the average picture, which is taken off, has no places.";
  return null;
}

/** The view with all three axes: which heads, where in the picture, and which other pictures. */
export function Look({ state, go, app, model, pick, ready }: ViewProps) {
  const { layers, heads } = model;
  const { image, texts, against, less } = state;
  const { data: known, error: imageError } = useImage(image);
  const subject = { model: model.name, image: known ? image : undefined };
  const on = Math.min(state.on, Math.max(0, texts.length - 1));
  const text = texts[on];
  const held = against === text ? null : against;
  const scored = held === null || texts.includes(held) ? texts : [...texts, held];
  const explained = useExplain(subject, scored);
  const tokens = useTokens(subject, text, held);
  const means = useMeans(model.name, state.corpus, scored, less && ready);
  const { data: corpora } = useCorpora(model.name);
  const { data: insights } = useInsights(model.name, state.corpus, ready);
  const named = useProperties(model.name, state.corpus, ready);
  const properties = named.data?.properties ?? [];
  const read = useMemo(
    () => readHeads(state.heads, { layers, heads }, named.data?.properties),
    [state.heads, layers, heads, named.data],
  );
  // What may be a property's name is not unreadable before properties are known.
  const problem = named.isPending ? null : read.problem;
  const [dragged, setDragged] = useState<Chosen | null>(null);
  const chosen = dragged ?? read.chosen;
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
  const [over, setOver] = useState<number | null>(null);
  const [kept, setKept] = useState<Kept | null>(null);
  const subjectKey = `${model.name} ${image}`;
  const keptPatch = kept?.of === subjectKey ? kept.patch : null;
  const patch = over ?? keptPatch;

  const numbers = numbersOf(text, held, explained.data, less ? means.data : null);
  const map = tokens.data?.text === text || tokens.isPlaceholderData ? tokens.data : undefined;
  const meanOf = useMemo(() => {
    const [own, other] = [text, held].map((one) => means.data?.texts.find((found) => found.text === one));
    if (!less || !own) return null;
    return own.heads.map(({ value }, unit) => value - (other?.heads[unit].value ?? 0));
  }, [less, means.data, text, held]);
  const every = useMemo(() => chosenOf(Array.from({ length: layers * heads }, (_, i) => i)), [layers, heads]);
  const shown = useMemo(
    () => (hovered !== null ? chosenOf([hovered]) : chosen.size > 0 ? chosen : every),
    [hovered, chosen, every],
  );
  const isUnread = problem !== null && hovered === null;
  const view = useMemo(() => {
    if (!map || map.layers !== layers || map.heads !== heads || isUnread) return undefined;
    // The average picture has no places: its part is taken off every token alike.
    const average = meanOf ? [...shown].reduce((sum, [unit, weight]) => sum + weight * meanOf[unit], 0) : 0;
    const values = sumOfHeads(map, shown).map((row) => row.map((value) => value - average / tokensOf(map)));
    const limit = largestOf(values.flat());
    return { limit, paint: signedPaint(values, limit, { squares: state.squares }) };
  }, [map, shown, isUnread, meanOf, state.squares, layers, heads]);
  const atPatch = useMemo(() => {
    if (!map || patch === null) return null;
    const written = headsAtPatch(map, patch);
    return meanOf ? written.map((value, unit) => value - meanOf[unit] / tokensOf(map)) : written;
  }, [map, patch, meanOf]);
  const asked = {
    texts,
    heads: orAll(formatHeads(chosen, model)),
    replacement: state.without === "zero" ? ("zero" as const) : ("mean" as const),
    corpus: state.corpus,
  };
  const isTakenOut = state.without !== "no" && problem === null;
  const without = useWithout(subject, asked, isTakenOut && (ready || state.without === "zero"));

  const byWord = problem === null;
  const [metBy, setMetBy] = useState<{ readonly of: string; readonly pair: Pair } | null>(null);
  const pairKey = `${subjectKey} ${text}`;
  const pair = metBy?.of === pairKey ? metBy.pair : null;
  const throughHeads = pair?.image ?? orAll(formatHeads(chosen, model));
  const throughTextHeads = pair?.text ?? "all";
  const worded = useWords(
    subject,
    text,
    { heads: throughHeads, textHeads: throughTextHeads, corpus: state.corpus },
    byWord && dragged === null,
  );
  const wordsOf = worded.data?.text === text ? worded.data : undefined;
  const litWord = useLitWord(byWord ? wordsOf : undefined, subjectKey, state.squares);
  const ofPair = pair !== null && wordsOf?.textComponents.set === pair.text ? wordsOf : undefined;
  const pairView = useMemo(() => {
    if (!ofPair) return undefined;
    const { rows, columns } = ofPair.grid;
    const values = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) =>
        ofPair.words.reduce((sum, { map }) => sum + map[row][column], 0),
      ),
    );
    const limit = largestOf(values.flat());
    return { limit, paint: signedPaint(values, limit, { squares: state.squares }) };
  }, [ofPair, state.squares]);
  const seen = litWord.view ?? pairView ?? view;

  const labels = useLabels(model.name);
  const nameOf = (unit: number) => calledUnit(unit, heads, labels);
  const about = (unit: number) => aboutHead(unit, heads, insights);
  const isPhoto = model.embedded && !/^(demo|scenes):/.test(image);
  const words = isUnread ? "no heads" : headsInWords(shown, model, [], labels);
  const compared = held === null ? null : <Said text={held} />;

  return (
    <>
      <div className="look">
        <section className="picture-side" aria-label="The picture">
          {imageError ? (
            <ProblemNote error={imageError}>
              <button type="button" onClick={() => go({ image: null, texts: null })}>
                Show the first picture
              </button>
            </ProblemNote>
          ) : (
            <div className="stage">
              <HeatPicture
                src={pictureUrl(image, 512)}
                size={known}
                alt={`${known?.label ?? "The picture"}, with ${litWord.word ? `the word ${litWord.word.text}` : words} painted where they speak for or against “${text ?? ""}”`}
                place={map}
                paint={seen?.paint}
                opacity={state.opacity}
                marked={patch}
                onMark={setOver}
                onKeep={(next) =>
                  setKept(next === null || next === keptPatch ? null : { of: subjectKey, patch: next })
                }
              />
            </div>
          )}
          {byWord && text !== undefined && !imageError && (
            <LookWords
              {...{ text, patch, lit: litWord }}
              found={wordsOf}
              error={worded.error}
              note={wordsNote(text, held, less)}
            />
          )}
          {byWord && text !== undefined && !imageError && known && (
            <WordHeads
              {...{ subject, text, corpus: state.corpus, chosen: pair }}
              onChoose={(next) => setMetBy(next && { of: pairKey, pair: next })}
            />
          )}
          <div className={view ? "map-facts" : "map-facts pending"} inert={!view}>
            <p className="caption">
              {/* Of another picture nothing is said here. */}
              <span>
                {view && litWord.word && (
                  <>
                    Where the word <Said text={litWord.word.text} /> looks, through{" "}
                    {pair ? `text head ${pair.text} and image head ${pair.image}` : words}: for (red) or
                    against (blue) <Said text={text} />
                  </>
                )}
                {view && !litWord.word && pairView && pair && (
                  <>
                    Where text head {pair.text} meets image head {pair.image}, all words together: for (red)
                    or against (blue) <Said text={text} />
                  </>
                )}
                {view && !litWord.word && !pairView && (
                  <>
                    Where {words} {shown.size === 1 ? "speaks" : "speak"} for (red) or against (blue){" "}
                    <Said text={text} />
                    {compared && <> more than for {compared}</>}
                    {less && ", less the average picture"}
                  </>
                )}
              </span>
              {view && <img src={pictureUrl(image, 160)} alt="Without the map" width={56} height={56} />}
            </p>
            <ColourBar limit={seen?.limit ?? 0} low="against the text" high="for the text" />
            <MapControls state={state} go={go} />
          </div>
          <Picker model={model.name} mostBytes={app.limits.uploadBytes} onPick={pick} />
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
          {less && means.error && <ProblemNote error={means.error} />}
          {text === undefined && (
            <p className="empty">Add a text: each head will say how much it speaks for it.</p>
          )}
          {text !== undefined && !imageError && !explained.error && (
            <>
              <LookMatrix
                {...{ model, text, less, numbers, atPatch, chosen, hovered, labels, about }}
                against={held}
                onLeavePatch={keptPatch === null ? null : () => setKept(null)}
                onChoose={setDragged}
                onHover={setHovered}
              />
              <HeadChooser
                model={model}
                written={state.heads}
                read={dragged ? { chosen, mlps: [], problem: null } : { ...read, problem }}
                properties={properties}
                onWrite={(next) => go({ heads: next })}
              />
              {numbers && !isUnread && (
                <HeadFacts shown={shown} all={layers * heads} {...{ nameOf, about, numbers }} />
              )}
              <Compare {...{ state, go, text, ready }} />
              {without.error && isTakenOut && <ProblemNote error={without.error} />}
              {isTakenOut && without.data && (
                <WithoutTable found={without.data} words={headsInWords(chosen, model, [], labels)} />
              )}
            </>
          )}
        </section>
      </div>

      {problem === null && (
        <NearestOfHeads
          {...{ state, model, pick, known, ready, chosen, labels }}
          insights={insights ?? undefined}
          isTakenOut={isTakenOut}
        />
      )}
      {explained.data && known && text !== undefined && problem === null && (
        <Exports
          name={`look-${known.sha256.slice(0, 8)}`}
          {...{ state, image, known }}
          command={lookCommand(
            { ...state, text, against: held },
            known,
            orAll(formatHeads(chosen, model)),
            corpora?.corpora.find(({ name }) => name === state.corpus)?.images ?? null,
          )}
          make={() =>
            lookExports(
              { image, text, against: held, heads: orAll(formatHeads(chosen, model)), corpus: state.corpus },
              explained.data,
              { opacity: state.opacity / 100, squares: state.squares },
            )
          }
        />
      )}
    </>
  );
}
