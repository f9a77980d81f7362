import { type FormEvent, useState } from "react";
import { headName, weightedName } from "../../../src/model/components.ts";
import { defaultScoring } from "../../../src/results/scoring.ts";
import { scoreFormat } from "../../../src/views/neighbors/words.ts";
import { neighborsCommand } from "../exports/command.ts";
import { neighborsExports } from "../exports/neighbors.ts";
import { Said } from "../plots/said.tsx";
import { Spread } from "../plots/spread.tsx";
import { Thumbs } from "../plots/thumbs.tsx";
import { type NeighborsResult, type Properties, pictureUrl } from "../state/api.ts";
import { calledUnit } from "../state/atlas.ts";
import { formatHeads, headsInWords, orAll, readHeads } from "../state/heads.ts";
import { hitsInWords, inWords, isNoBetter } from "../state/know.ts";
import {
  type Labels,
  useCorpora,
  useImage,
  useLabels,
  useNeighbors,
  useProperties,
} from "../state/queries.ts";
import { formatAddress } from "../state/url.ts";
import { Exports } from "./exports.tsx";
import { HeadChooser } from "./head-chooser.tsx";
import { PhotoNotice } from "./model-picker.tsx";
import { Picker } from "./picker.tsx";
import { PrepareCorpus } from "./prepare.tsx";
import { Missing, ProblemNote } from "./problem.tsx";
import { CutTexts } from "./texts.tsx";
import { thumbsOf } from "./thumbs-of.ts";
import type { ViewProps } from "./view.ts";

type Property = Properties["properties"][number];

const ASKED = {
  property: "pictures that share a property with this one",
  image: "pictures that some heads find like this one",
  text: "pictures that some heads find fitting a text",
} as const;

const SCORES = {
  centred: "cosine from the mean of all",
  dot: "product (as in the paper)",
  cosine: "cosine",
  z: "deviations above the mean",
} as const;

/** Nearest neighbours by property, by head for the picture, by head for a text. */
export function Neighbors({ state, go, app, model, pick, ready }: ViewProps) {
  const { corpus, image } = state;
  const { data: known, error: imageError } = useImage(image);
  const { data: corpora } = useCorpora(model.name);
  const labels = useLabels(model.name);
  const { data: named } = useProperties(model.name, corpus, ready);
  const properties = named?.properties ?? [];
  // One through which nothing is found is there to be chosen, but is not what a visitor sees first.
  const usual = properties.find((one) => !isNoBetter(one));
  const property = properties.find(({ name }) => name === state.property) ?? usual;
  const noneKnown = ready && named !== undefined && property === undefined;
  // Where nothing is known of heads or pictures, heads can still be asked.
  const by = state.by === "property" && noneKnown ? "image" : state.by;
  const isUnknown =
    by === "property" && named !== undefined && state.property !== null && property?.name !== state.property;
  const read = readHeads(state.heads, model, properties, { mlps: true });
  // What may be a property's name is not unreadable before properties are known.
  const problem = named === undefined ? null : read.problem;
  const text = state.query ?? "a red background";
  const heads = by === "property" ? property?.name : orAll(formatHeads(read.chosen, model, read.mlps));
  const isAskable = by === "property" ? !isUnknown : read.problem === null;
  const query = by === "text" ? { text } : { image };
  const scoring = state.scoring ?? defaultScoring(by === "text" ? "text" : "image");
  const asked =
    ready && heads !== undefined && isAskable && (by === "text" || known)
      ? { corpus, query, heads, k: state.count, scoring, seed: state.seed }
      : undefined;
  const { data, error, isPlaceholderData } = useNeighbors(model.name, asked);
  const words =
    by === "property"
      ? property
        ? `the heads for ${property.name} (${property.heads.length > 4 ? property.heads.length : property.heads.map((head) => weightedName(head.name, head.weight).replace("*-1", " taken negatively")).join(", ")})`
        : "heads"
      : headsInWords(read.chosen, model, read.mlps, labels);
  const isPhoto = by !== "text" && model.embedded && !/^(demo|scenes):/.test(image);
  const hrefOf = (other: string) => formatAddress({ ...state, view: "look", image: other, tour: 0 });
  const open = (other: string) => pick(other, "look");
  return (
    <div className="neighbors">
      <section className="controls" aria-label="What is looked for">
        <fieldset className="modes">
          <legend>Find</legend>
          {(Object.keys(ASKED) as (keyof typeof ASKED)[]).map((kind) => (
            <label key={kind}>
              <input
                type="radio"
                name="by"
                checked={by === kind}
                disabled={kind === "property" && noneKnown}
                onChange={() => go({ by: kind })}
              />{" "}
              {ASKED[kind]}
              {kind === "property" &&
                noneKnown &&
                (properties.length === 0
                  ? " (none is known: serve with --labels)"
                  : " (through none of those known are more found than by chance)")}
            </label>
          ))}
        </fieldset>
        {isPhoto && (
          <PhotoNotice
            model={model.name}
            certain={!image.startsWith("upload:")}
            onPick={(name) => go({ model: name, heads: "" })}
          />
        )}
        <div className="control-row">
          {by === "text" ? (
            <div>
              <TextQuery text={text} onAsk={(next) => go({ query: next })} />
              <CutTexts truncated={data?.truncated?.filter((cut) => cut.text === text)} />
            </div>
          ) : (
            <div className="query-picture">
              <img
                src={pictureUrl(image, 256)}
                alt={known?.label ?? "the picture"}
                width={128}
                height={128}
              />
              <Picker model={model.name} mostBytes={app.limits.uploadBytes} onPick={pick} />
            </div>
          )}
          <div className="options">
            {by === "property" ? (
              <PropertyChoice
                properties={properties}
                chosen={property}
                onChoose={(name) => go({ property: name })}
              />
            ) : (
              <>
                <OneHead
                  labels={labels}
                  layers={model.layers}
                  heads={model.heads}
                  chosen={
                    read.chosen.size === 1 && read.mlps.length === 0 ? [...read.chosen.keys()][0] : null
                  }
                  onChoose={(unit) =>
                    go({
                      heads:
                        unit === null ? "" : headName(Math.floor(unit / model.heads), unit % model.heads),
                    })
                  }
                />
                <HeadChooser
                  model={model}
                  written={state.heads}
                  read={{ ...read, problem }}
                  properties={properties}
                  mlps
                  onWrite={(next) => go({ heads: next })}
                />
              </>
            )}
            <label>
              in{" "}
              <select
                className="corpora"
                value={corpus}
                onChange={(event) => go({ corpus: event.target.value })}
              >
                {corpora?.corpora.map(({ name, title }) => (
                  <option key={name} value={name}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
            <label>
              score{" "}
              <select
                value={scoring}
                onChange={(event) => go({ scoring: event.target.value as keyof typeof SCORES })}
              >
                {Object.entries(SCORES).map(([kind, title]) => (
                  <option key={kind} value={kind}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
            <label>
              show{" "}
              <select value={state.count} onChange={(event) => go({ count: Number(event.target.value) })}>
                {[...new Set([4, 8, 16, 32, state.count])]
                  .sort((a, b) => a - b)
                  .map((k) => (
                    <option key={k} value={k}>
                      {k}
                    </option>
                  ))}
              </select>
            </label>
          </div>
        </div>
      </section>
      {!ready && <PrepareCorpus corpus={corpus} model={model.name} />}
      {isUnknown && (
        <Missing
          what={
            <>
              No heads of this model are known for the property <Said text={state.property ?? ""} />.
            </>
          }
        >
          <button type="button" onClick={() => go({ property: null })}>
            Choose another
          </button>
        </Missing>
      )}
      {imageError && by !== "text" && (
        <ProblemNote error={imageError}>
          <button type="button" onClick={() => go({ image: null, texts: null })}>
            Show the first picture
          </button>
        </ProblemNote>
      )}
      {error && <ProblemNote error={error} />}
      {(data || asked) && !error && (
        <>
          <h2>
            {by === "text" ? (
              <>
                Nearest to <Said text={text} />
              </>
            ) : (
              "Nearest to this picture"
            )}{" "}
            through {words}
          </h2>
          <Found
            state={state}
            isStale={isPlaceholderData}
            data={data}
            query={by === "text" ? undefined : image}
            hrefOf={hrefOf}
            onOpen={open}
            onShuffle={() => go({ seed: state.seed + 1 })}
          />
          {data && (
            <Exports
              name={`neighbors-${corpus}`}
              {...(by !== "text" && { image, known })}
              state={by === "text" ? { ...state, query: text } : state}
              command={neighborsCommand(
                state,
                by === "text" || !known ? { text } : known,
                by === "property" && property
                  ? property.heads.map((head) => weightedName(head.name, head.weight)).join()
                  : (heads ?? "all"),
                corpora?.corpora.find(({ name }) => name === corpus)?.images ?? null,
              )}
              make={() => neighborsExports({ corpus, found: data, image: by === "text" ? undefined : image })}
            />
          )}
        </>
      )}
    </div>
  );
}

function PropertyChoice(props: {
  properties: readonly Property[];
  chosen: Property | undefined;
  onChoose: (name: string) => void;
}) {
  const { properties, chosen, onChoose } = props;
  const failing = properties.filter(isNoBetter);
  const optionOf = (property: Property) => (
    <option key={property.name} value={property.name}>
      {property.name}
      {property.precision && ` – ${hitsInWords(property.precision)}`}
    </option>
  );
  return (
    <div className="property">
      <label>
        property{" "}
        <select
          value={chosen?.name ?? ""}
          disabled={properties.length === 0}
          onChange={(event) => onChoose(event.target.value)}
        >
          {chosen === undefined && <option value="">none is known yet</option>}
          {properties.filter((property) => !isNoBetter(property)).map(optionOf)}
          {failing.length > 0 && <optgroup label="no better than chance">{failing.map(optionOf)}</optgroup>}
        </select>
      </label>
      {chosen?.precision && (
        <p className="property-facts" data-testid="property-facts">
          {inWords(chosen.name)}: <strong>{hitsInWords(chosen.precision)}</strong>
          {isNoBetter(chosen) && <strong>: no better than chance</strong>}. On average over pictures that
          these heads were not chosen on, so many of the {chosen.precision.k} nearest share it
          {chosen.heads.some(({ weight }) => weight < 0) &&
            "; a head that speaks against what it sees is taken negatively"}
          .
        </p>
      )}
    </div>
  );
}

function Found(props: {
  state: ViewProps["state"];
  /** Undefined while it is looked for. */
  data: NeighborsResult | undefined;
  /** Whether it answers the question before this one. */
  isStale: boolean;
  /** The picture that was asked about. */
  query: string | undefined;
  hrefOf: (image: string) => string;
  onOpen: (image: string) => void;
  onShuffle: () => void;
}) {
  const { state, data, isStale, query, onShuffle, ...links } = props;
  const row = (kind: "neighbors" | "least" | "random") => data && thumbsOf(state.corpus, data, data[kind]);
  const searched = data ? `${data.searched.toLocaleString("en")} pictures searched` : "searching";
  const expected = state.count;
  return (
    <div className={isStale ? "found stale" : "found"}>
      <Thumbs
        title="most similar"
        explanation={`${searched}${data && data.excluded > 0 ? "; this picture itself is left out" : ""}. Below each: its score, and the share of pictures that score lower.`}
        items={row("neighbors")}
        expected={expected}
        {...(query !== undefined && { query })}
        {...links}
      />
      {data && data.neighbors.length > 0 ? (
        <Spread
          {...data.distribution}
          marks={data.neighbors.map(({ score }) => score)}
          format={scoreFormat(data)}
        />
      ) : (
        <div className="spread place" />
      )}
      <Thumbs
        title="least similar"
        explanation="the lowest scores"
        items={row("least")}
        {...{ expected, ...links }}
      />
      <Thumbs
        title="random"
        explanation="against cherry-picking"
        items={row("random")}
        {...{ expected, ...links }}
      />
      <button type="button" onClick={onShuffle}>
        Other random ones
      </button>
    </div>
  );
}

function TextQuery({ text, onAsk }: { text: string; onAsk: (text: string) => void }) {
  const [draft, setDraft] = useState(text);
  const [of, setOf] = useState(text);
  // The address changed under the field, as going back does.
  if (of !== text) {
    setOf(text);
    setDraft(text);
  }
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim() !== "") onAsk(draft.trim());
  };
  return (
    <form onSubmit={ask} className="text-query">
      <label>
        text{" "}
        <input
          value={draft}
          dir="auto"
          maxLength={300}
          size={28}
          onChange={(event) => setDraft(event.target.value)}
        />
      </label>
      <button type="submit">Find</button>
    </form>
  );
}

function OneHead(props: {
  labels: Labels;
  layers: number;
  heads: number;
  chosen: number | null;
  onChoose: (unit: number | null) => void;
}) {
  const { labels, layers, heads, chosen, onChoose } = props;
  return (
    <label>
      head{" "}
      <select
        value={chosen ?? ""}
        onChange={(event) => onChoose(event.target.value === "" ? null : Number(event.target.value))}
      >
        <option value="">several, or all</option>
        {Array.from({ length: layers * heads }, (_, unit) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a head is its number
          <option key={unit} value={unit}>
            {calledUnit(unit, heads, labels)}
          </option>
        ))}
      </select>
    </label>
  );
}
