/** What heads are described by: texts that TEXTSPAN chooses, and principal directions of what each of them wrote. */
import { readsTexts } from "../../checkpoint/model-config.ts";
import type { Index } from "../../corpus/open-index.ts";
import { createSearch } from "../../corpus/search.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads } from "../../model/components.ts";
import type { DenseMatrix } from "../../onnx/algebra.ts";
import type { Description, Span } from "../../results/textspan.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled } from "../../support/progress.ts";
import { eachHead } from "../textspan/contributions.ts";
import { describeHeads } from "../textspan/describe-heads.ts";
import { principalDirections, type RowSpace, rowSpace } from "../textspan/row-space.ts";
import type { Axis } from "./axes.ts";
import { type AtlasOptions, STEPS } from "./options.ts";

/** Texts a page lists. */
const LISTED = 10;
/** Principal directions that groups are found along. */
const COMPONENTS = 10;

/** Texts of every head, the directions they stand for, and principal directions. */
export interface Described {
  /** Undefined where the model reads no texts. */
  readonly spans: readonly Span[] | undefined;
  readonly axes: readonly (readonly Axis[])[];
  /** [L·H][components]: [D]. */
  readonly components: readonly (readonly Float64Array[])[];
}

/** Describes every head by texts and by principal directions. @throws `TEXTS_EMPTY`, what embedding texts throws, `CANCELLED` */
export async function describeAll(
  model: ClipModel,
  index: Index,
  { pool, rotations, cacheFolder, threads = 0, seed = 0, report, signal }: AtlasOptions,
): Promise<Described> {
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const algebra = await model.openAlgebra({ threads });
  try {
    const chosen: DenseMatrix[] = [];
    const principal: { readonly directions: DenseMatrix; readonly shares: number[] }[] = [];
    const keep = async (space: RowSpace) => {
      const { directions, variances } = await principalDirections(algebra, space, COMPONENTS);
      const shares = variances.map((value) => (space.totalVariance > 0 ? value / space.totalVariance : 0));
      principal.push({ directions, shares });
    };
    const components = () => principal.map(({ directions }) => rowsOf(directions));
    if (!readsTexts(model.config.text)) {
      const search = createSearch(index, model.geometry, model.matmul);
      const contributionsOf = await eachHead(search, model, algebra);
      for (const head of allHeads(model.geometry).heads) {
        checkCancelled(signal);
        const contributions = contributionsOf(head);
        await keep(await rowSpace(algebra, await contributions.moments(work), contributions.matrix));
      }
      const axes = principal.map(({ directions, shares }) =>
        rowsOf(directions)
          .slice(0, STEPS)
          .map(
            (v, i): Axis => ({
              ...{ kind: "component", name: `principal direction ${i + 1}`, property: null, v },
              explained: shares[i],
            }),
          ),
      );
      return { spans: undefined, axes, components: components() };
    }
    if (!pool) throw new ClipInterpretError("TEXTS_EMPTY", "an atlas needs a pool of texts");
    const { heads } = await describeHeads(model, index, allHeads(model.geometry), pool, {
      ...{ iterations: LISTED, threads, seed, ...work },
      ...(rotations !== undefined && { rotations }),
      ...(cacheFolder !== undefined && { cacheFolder }),
      async onSpan(space, { directions }) {
        const rows = Math.min(STEPS, directions.rows);
        const first = { ...directions, rows, data: directions.data.subarray(0, rows * directions.columns) };
        chosen.push(
          rows > 0
            ? await algebra.product({ ...first, data: first.data.slice() }, space.basis)
            : { data: new Float64Array(), rows: 0, columns: space.basis.columns },
        );
        await keep(space);
      },
    });
    const axes = heads.map(({ descriptions }, unit) =>
      rowsOf(chosen[unit]).map((v, i): Axis => axisOf(descriptions[i], v)),
    );
    return { spans: heads, axes, components: components() };
  } finally {
    await algebra.release();
  }
}

const axisOf = ({ text, property, explainedVariance }: Description, v: Float64Array): Axis => ({
  ...{ kind: "text", name: text, property, explained: explainedVariance, v },
});

const rowsOf = ({ data, rows, columns }: DenseMatrix): Float64Array[] =>
  Array.from({ length: rows }, (_, row) => data.slice(row * columns, (row + 1) * columns));
