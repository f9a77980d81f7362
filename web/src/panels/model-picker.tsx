import { useState } from "react";
import { client, post } from "../state/api.ts";
import { isUnderWay, useJobs } from "../state/jobs.ts";
import { useFetchedModels, useModels } from "../state/queries.ts";
import { Dialog, DialogButton } from "./dialog.tsx";
import { FetchButton, FetchedModelList } from "./fetched-models.tsx";
import { JobLine } from "./jobs-tray.tsx";
import { ProblemNote } from "./problem.tsx";

interface Props {
  readonly model: string | undefined;
  readonly onPick: (model: string) => void;
}

/** The model that is looked into, and the others that could be. */
export function ModelPicker({ model, onPick }: Props) {
  const label = (
    <>
      <small>model</small> {model ?? "…"} ▾
    </>
  );
  return (
    <DialogButton className="model" label={label} title="Choose another model">
      {(close) => (
        <Dialog title="Choose a model" onClose={close}>
          {client.fetched && (
            <FetchedModelList
              model={model}
              onPick={(name) => {
                close();
                onPick(name);
              }}
            />
          )}
          <ModelList
            model={model}
            onPick={(name) => {
              close();
              onPick(name);
            }}
          />
        </Dialog>
      )}
    </DialogButton>
  );
}

function ModelList({ model, onPick }: Props) {
  const { data, error, isPending } = useModels(true);
  const kept = useFetchedModels().data?.models.map(({ name }) => name) ?? [];
  if (isPending) return <p className="waiting">Looking which models are here…</p>;
  if (error) return <ProblemNote error={error} />;
  return (
    <div className="table-scroll">
      <table className="models">
        <thead>
          <tr>
            <th scope="col">model</th>
            <th scope="col">layers × heads</th>
            <th scope="col">patches</th>
            <th scope="col">trained on</th>
            <th scope="col">size</th>
            <th scope="col">here?</th>
          </tr>
        </thead>
        <tbody>
          {data?.models.map(
            ({ name, layers, heads, patch, imageSize, trainedOn, megabytes, approximate, present }) => (
              <tr key={name} aria-current={name === model}>
                <th scope="row">{name}</th>
                <td>{layers === null ? "–" : `${layers} × ${heads}`}</td>
                <td>{patch === null || imageSize === null ? "–" : `${Math.floor(imageSize / patch)}²`}</td>
                <td>{trainedOn ?? "–"}</td>
                <td>
                  {megabytes === null ? "–" : `${approximate ? "about " : ""}${Math.ceil(megabytes)} MB`}
                </td>
                <td>
                  {present || kept.includes(name) ? (
                    <button type="button" disabled={name === model} onClick={() => onPick(name)}>
                      {name === model ? "in use" : "Use"}
                    </button>
                  ) : (
                    <FetchModel {...{ name, onPick }} megabytes={client.fetched ? null : megabytes} />
                  )}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

interface FetchProps {
  readonly name: string;
  readonly megabytes: number | null;
  readonly onPick: (model: string) => void;
}

/** Fetches a model with one click that says how large it is. */
function FetchModel({ name, megabytes, onPick }: FetchProps) {
  const { jobs } = useJobs();
  const [error, setError] = useState<unknown>(null);
  const job = jobs.find(({ kind, subject }) => kind === "pull" && subject === name);
  if (client.fetched) return <FetchButton name={name} size={megabytes} onPick={onPick} />;
  if (job && isUnderWay(job)) return <JobLine job={job} />;
  const start = () => {
    setError(null);
    post("/api/jobs", { kind: "pull", model: name }).catch(setError);
  };
  return (
    <>
      <button type="button" onClick={start}>
        {`Download${megabytes === null ? "" : ` (about ${Math.ceil(megabytes)} MB)`}`}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

/** The model to offer for photographs. */
const FOR_PHOTOS = "ViT-B-32/openai";

/** What must be said of a photograph that a small model is shown, with the way out. */
export function PhotoNotice({ model, certain, onPick }: Props & { readonly certain: boolean }) {
  const { data } = useModels(true);
  const entry = data?.models.find(({ name }) => name === FOR_PHOTOS);
  const kept = useFetchedModels().data?.models.some(({ name }) => name === FOR_PHOTOS);
  return (
    <div className="notice" role="note">
      <p>
        <strong>This small model knows only drawn emoji scenes.</strong>{" "}
        {certain
          ? "What it says of this photograph means nothing."
          : "If this is a photograph, what the model says of it means nothing."}{" "}
        A real CLIP does better:
      </p>
      {entry?.present || kept ? (
        <button type="button" onClick={() => onPick(FOR_PHOTOS)} disabled={model === FOR_PHOTOS}>
          Use ViT-B-32
        </button>
      ) : (
        <p className="offer">
          ViT-B-32, OpenAI’s smallest CLIP:{" "}
          <FetchModel name={FOR_PHOTOS} megabytes={entry?.megabytes ?? null} onPick={onPick} />
        </p>
      )}
    </div>
  );
}
