import { largestOf } from "../../../src/views/kit/panel.ts";
import { formatCosine, formatError, formatSigned } from "../../../src/views/kit/text.ts";
import { ColourBar } from "../plots/colour-bar.tsx";
import { Matrix } from "../plots/matrix.tsx";
import { Said } from "../plots/said.tsx";
import type { ModelDetail } from "../state/api.ts";
import type { Chosen } from "../state/heads.ts";
import type { Numbers } from "../state/numbers.ts";
import type { Labels } from "../state/queries.ts";

interface Props {
  readonly model: ModelDetail;
  readonly text: string;
  readonly against: string | null;
  readonly less: boolean;
  /** Undefined while they are computed: their room is kept. */
  readonly numbers: Numbers | undefined;
  /** What each head wrote at a marked patch. */
  readonly atPatch: ArrayLike<number> | null;
  /** Where a patch stays marked: how to leave it. */
  readonly onLeavePatch: (() => void) | null;
  readonly chosen: Chosen;
  readonly hovered: number | null;
  readonly onChoose: (chosen: Chosen) => void;
  readonly onHover: (unit: number | null) => void;
  /** What heads are called, by their names. */
  readonly labels: Labels;
  readonly about: (unit: number) => string;
}

/** The score and the matrix of what every head brought to it. */
export function LookMatrix(props: Props) {
  const { model, text, against, less, numbers, atPatch, onLeavePatch, chosen, about } = props;
  const { layers, heads } = model;
  const blank = { heads: new Array<number>(layers * heads).fill(0), mlps: less ? null : blankMlps(layers) };
  const { heads: values, mlps } = numbers ?? blank;
  const limit = atPatch ? largestOf(Array.from(atPatch)) : largestOf(values) || largestOf(mlps ?? []);
  const isPlain = against === null && !less;
  return (
    <div className={numbers ? "scored" : "scored pending"} inert={!numbers} aria-busy={!numbers}>
      <h2 className="score">
        <Said text={text} />{" "}
        {against !== null ? (
          <>
            fits this picture better than <Said text={against} /> by{" "}
          </>
        ) : less ? (
          "fits this picture better than the average one by "
        ) : (
          "fits this picture with a score of "
        )}
        <strong data-testid="score">
          {numbers ? (isPlain ? formatCosine(numbers.score) : formatSigned(numbers.score, 4)) : "…"}
        </strong>
        {against !== null && less && " (beyond the average picture)"}
      </h2>
      <p className="reading">
        {atPatch ? (
          <span key="patch">
            <strong>What each head wrote at the marked patch.</strong> Together{" "}
            {formatSigned(
              Array.from(atPatch).reduce((sum, value) => sum + value, 0),
              4,
            )}
            .{" "}
            {onLeavePatch && (
              <button type="button" onClick={onLeavePatch}>
                Back to the whole picture
              </button>
            )}
          </span>
        ) : (
          <span key="whole">
            The score is the sum of these squares: each is one attention head, and says how much that head
            speaks <b className="for">for</b> or <b className="against">against</b> the text
            {isPlain ? "" : ", compared as chosen below"}. Move over a square, or tap it, to see where it
            looked; click to choose it.
          </span>
        )}
      </p>
      <Matrix
        layers={layers}
        heads={heads}
        values={atPatch ?? values}
        mlps={atPatch ? (mlps?.map(() => null) ?? null) : mlps}
        limit={limit}
        chosen={chosen}
        hovered={props.hovered}
        onChoose={props.onChoose}
        onHover={props.onHover}
        labels={props.labels}
        about={about}
      />
      <ColourBar
        limit={limit}
        low="against"
        high="for the text"
        clipped={!atPatch && largestOf(mlps ?? []) > limit}
      />
      <p className="sum" data-testid="sum">
        {numbers &&
          (mlps
            ? `The parts add up to ${formatSigned(numbers.sum, 4)}; the score computed directly is ${formatSigned(numbers.score, 4)} (off by ${formatError(Math.abs(numbers.sum - numbers.score))}).`
            : "Only heads are held against the average picture; what the MLPs add beyond it is the rest of the score.")}
      </p>
    </div>
  );
}

const blankMlps = (layers: number) => new Array<number>(layers + 1).fill(0);
