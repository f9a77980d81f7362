import { useCheck } from "../state/queries.ts";
import { Dialog, DialogButton } from "./dialog.tsx";
import { ProblemNote } from "./problem.tsx";

const MARKS = { pass: "✓", warn: "!", fail: "✗" } as const;
const NAMES: Readonly<Record<string, string>> = {
  sums: "The parts add up",
  "same bits": "Alone and beside others the same",
  float32: "The GPU computes what WebAssembly does",
};

/** Has the model checked where it runs: in this tab. */
export function CheckModel({ model }: { readonly model: string }) {
  return (
    <DialogButton label="Check the numbers" title="Check the model in this browser">
      {(close) => (
        <Dialog title="Do the parts add up?" onClose={close}>
          <Checked model={model} />
        </Dialog>
      )}
    </DialogButton>
  );
}

function Checked({ model }: { readonly model: string }) {
  const { data, error } = useCheck(model);
  if (error) return <ProblemNote error={error} />;
  if (!data) return <p className="waiting">Taking some pictures apart…</p>;
  const { runtime, threads, pictures, checks } = data;
  return (
    <>
      <p>
        A picture’s embedding, the numbers that <bdi>{model}</bdi> knows it by, is the sum of what its heads
        and MLPs wrote. This browser has just added them up for {pictures} pictures and compared:
      </p>
      <ul className="checks">
        {checks.map(({ name, status, result, meaning }) => (
          <li key={name} className={status}>
            <strong>
              {MARKS[status]} {NAMES[name] ?? name}
            </strong>
            : {result}. {meaning}
          </li>
        ))}
      </ul>
      <p className="hint">
        {`Computed by ${runtime}, ${threads === 1 ? "in one thread" : `in ${threads} threads`}.`}
      </p>
    </>
  );
}
