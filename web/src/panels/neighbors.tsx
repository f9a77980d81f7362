import { headName, weightedName } from "../../../src/model/components.ts";
import { defaultScoring } from "../../../src/results/scoring.ts";
import { neighborsCommand } from "../exports/command.ts";
import { neighborsExports } from "../exports/neighbors.ts";
import { Said } from "../plots/said.tsx";
import { pictureUrl } from "../state/api.ts";
import { formatHeads, headsInWords, orAll, readHeads } from "../state/heads.ts";
import { isNoBetter } from "../state/know.ts";
import { useCorpora, useImage, useLabels, useNeighbors, useProperties } from "../state/queries.ts";
import { formatAddress } from "../state/url.ts";
import { CorpusChoice } from "./corpus-choice.tsx";
import { Exports } from "./exports.tsx";
import { HeadChooser } from "./head-chooser.tsx";
import { PhotoNotice } from "./model-picker.tsx";
import { Found } from "./neighbors/found.tsx";
import { HowToScore } from "./neighbors/how.tsx";
import { Kinds } from "./neighbors/kinds.tsx";
import { OneHead } from "./neighbors/one-head.tsx";
import { type Property, PropertyChoice } from "./neighbors/property-choice.tsx";
import { TextQuery } from "./neighbors/text-query.tsx";
import { Picker } from "./picker.tsx";
import { PrepareCorpus } from "./prepare.tsx";
import { Missing, ProblemNote } from "./problem.tsx";
import { CutTexts } from "./texts.tsx";
import type { ViewProps } from "./view.ts";

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
    by === "property" ? propertyInWords(property) : headsInWords(read.chosen, model, read.mlps, labels);
  const isPhoto = by !== "text" && model.embedded && !/^(demo|scenes):/.test(image);
  const hrefOf = (other: string) => formatAddress({ ...state, view: "look", image: other, tour: 0 });
  const open = (other: string) => pick(other, "look");
  return (
    <div className="neighbors">
      <section className="controls" aria-label="What is looked for">
        <Kinds
          {...{ by, go }}
          noProperty={
            !noneKnown
              ? null
              : properties.length === 0
                ? "none is known: serve with --labels"
                : "through none of those known are more found than by chance"
          }
        />
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
            <CorpusChoice {...{ state, go, model }} />
            <HowToScore {...{ scoring, go }} count={state.count} />
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

/** Which heads stand for a property: by name as long as they are few. */
function propertyInWords(property: Property | undefined): string {
  if (!property) return "heads";
  const { name, heads } = property;
  const named = heads.map((head) => weightedName(head.name, head.weight).replace("*-1", " taken negatively"));
  return `the heads for ${name} (${heads.length > 4 ? heads.length : named.join(", ")})`;
}
