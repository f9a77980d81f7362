import { type Band, type DotRow, dotChart, lineChart, percentOf } from "../kit/chart.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { at, banner, type Drawing, paragraph, stack, svgDocument, textLine } from "../kit/svg.ts";
import { counted, escapeXml, shorten, textWidth } from "../kit/text.ts";

/** A share with its 95 % interval and what it is of. */
export interface PictureShare {
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** Where a value lies among those of random heads. */
export interface PictureBand {
  readonly draws: number;
  readonly exhaustive: boolean;
  readonly low: number;
  readonly mean: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
  readonly atMost: number;
  readonly atLeast: number;
}

/** Accuracy of something. */
export interface PictureOutcome {
  readonly accuracy: PictureShare;
  readonly worst: (PictureShare & { readonly name: string }) | null;
}

/** Accuracy without some components. */
export interface PictureRow extends PictureOutcome {
  readonly name: string;
  readonly kind: string;
  readonly at: number | null;
  readonly heads: readonly string[];
  readonly mlps: number;
  readonly random: PictureBand | null;
}

/** Heads taken away inside the network. */
export interface PictureForward {
  readonly replacement: string;
  readonly images: number;
  readonly calibration: number;
  readonly whole: PictureOutcome;
  readonly rows: readonly (PictureOutcome & {
    readonly name: string;
    readonly heads: readonly string[];
    readonly direct: PictureOutcome;
    readonly random: PictureBand | null;
    readonly randomWorst: PictureBand | null;
  })[];
}

/** What is drawn of zero-shot accuracy with and without components. */
export interface AblationPicture {
  readonly model: string;
  readonly images: number;
  readonly classes: number;
  readonly mode: string;
  readonly chance: number;
  readonly whole: PictureOutcome;
  readonly rows: readonly PictureRow[];
  readonly forward: PictureForward | null;
  readonly notice?: string;
}

const WIDTH = 1000;

/** In words what takes a head's place inside the network. */
export const replacementWords = (replacement: string): string =>
  ({
    position: "its mean at each token position",
    tokens: "one mean over all tokens",
    nothing: "nothing",
  })[replacement] ?? replacement;

/** What a reader must know of every number. */
export function ablationCaption({ images, classes, mode }: AblationPicture): string {
  const what = mode === "mean" ? "replaced by its mean over the images" : "set to zero";
  return `Zero-shot accuracy over ${counted(images, "image")} and ${counted(classes, "class").replace("classs", "classes")}, when the direct effect of some components on the embedding is ${what}. Grey: as many heads drawn at random, mean and 95 % of draws. Whiskers: 95 % interval over images.`;
}

/** Curves by layer, and a line of dots for every other row, as an SVG document. */
export function ablationSvg(picture: AblationPicture): string {
  const title = shorten(
    `What the components of ${picture.model} are worth to zero-shot classification`,
    WIDTH,
    (part) => textWidth(part, 20, true),
  );
  const curves = layerCurves(picture);
  const blocks: (readonly [number, Drawing])[] = [
    [0, { width: WIDTH, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(picture.notice === undefined ? [] : [[16, banner(picture.notice, WIDTH)] as const]),
    [14, paragraph(ablationCaption(picture), WIDTH, { size: 13 })],
    ...(curves ? [[20, curves] as const] : []),
    [26, dotChart(dotRows(picture), { width: WIDTH, names: 250, notes: 250 })],
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${ablationCaption(picture)}`);
}

/** The same as one HTML page, with its numbers as a table. */
export function ablationPageHtml(picture: AblationPicture): string {
  const cells = [
    ["nothing", picture.whole.accuracy, picture.whole.worst, null] as const,
    ...picture.rows.map(({ name, accuracy, worst, random }) => [name, accuracy, worst, random] as const),
  ].map(([name, accuracy, worst, random]) => {
    const numbers = [
      `${percentOf(accuracy.share)} [${percentOf(accuracy.low)}, ${percentOf(accuracy.high)}]`,
      worst ? `${percentOf(worst.share)} (${worst.name})` : "—",
      random ? `${percentOf(random.mean)} [${percentOf(random.low)}, ${percentOf(random.high)}]` : "—",
      random ? `${percentOf(random.atMost)} of ${random.draws}` : "—",
    ];
    return `<tr><th scope="row"><bdi>${escapeXml(name)}</bdi></th>${numbers.map((cell) => `<td class="n">${escapeXml(cell)}</td>`).join("")}</tr>`;
  });
  const heads = ["without", "accuracy", "worst group", "random heads", "random at most as accurate"];
  const columns = heads.map((name, i) => `<th scope="col"${i > 0 ? ' class="n"' : ""}>${name}</th>`).join("");
  const label = "Picture of the accuracies; the table below holds its numbers";
  return htmlPage(
    `Zero-shot accuracy of ${escapeXml(picture.model)} without components`,
    `${figure(ablationSvg(picture), label)}
<h2>Accuracies</h2>
<div class="wide"><table><thead><tr>${columns}</tr></thead><tbody>
${cells.join("\n")}
</tbody></table></div>`,
    "lists",
  );
}

/** The base paper's two curves; undefined without rows by layer. */
function layerCurves({ rows, whole, chance }: AblationPicture): Drawing | undefined {
  const byLayer = rows.filter(({ kind }) => kind === "layer");
  const heads = rows.find(({ kind, name }) => kind === "all" && name === "every head");
  const mlps = rows.find(({ kind, name }) => kind === "all" && name === "every MLP");
  if (byLayer.length === 0 || !heads || !mlps) return undefined;
  const asBand = (row: PictureRow | undefined) => row?.random ?? null;
  const upTo = [byLayer[0], ...rows.filter(({ kind }) => kind === "up-to"), heads];
  const kept = [...rows.filter(({ kind }) => kind === "kept"), mlps];
  const common = { width: 480, height: 190, level: { name: "chance", value: chance } };
  const first = lineChart({
    ...common,
    title: "Heads replaced from the first layer on",
    xTitle: "layers whose heads are replaced",
    from: 0,
    lines: [
      {
        name: "heads of the first layers",
        series: 0,
        values: [whole, ...upTo].map(({ accuracy }) => accuracy.share),
      },
    ],
    band: [null, ...upTo.map(asBand)] satisfies Band,
    bandName: "as many heads at random",
  });
  const second = lineChart({
    ...common,
    title: "Nothing kept but the heads of the last layers",
    xTitle: "last layers whose heads are kept; every MLP is replaced",
    from: 1,
    lines: [
      { name: "heads of the last layers", series: 0, values: kept.map(({ accuracy }) => accuracy.share) },
    ],
    band: kept.map(asBand),
    bandName: "as many heads at random kept",
  });
  return {
    width: WIDTH,
    height: Math.max(first.height, second.height),
    body: first.body + at(WIDTH - 480, 0, second),
  };
}

function dotRows({ rows, whole, forward }: AblationPicture): DotRow[] {
  const shown = rows.filter(({ kind }) => ["set", "all", "layer"].includes(kind));
  const dots: DotRow[] = [
    {
      name: "nothing",
      value: whole.accuracy,
      note: percentOf(whole.accuracy.share),
      head: "Direct effect taken away of",
    },
    ...shown.map(({ name, accuracy, random }) => ({
      name,
      value: accuracy,
      random,
      note: noteOf(accuracy, random),
    })),
  ];
  if (!forward) return dots;
  const { replacement, images, whole: before } = forward;
  dots.push({
    name: "nothing",
    value: before.accuracy,
    note: percentOf(before.accuracy.share),
    head: `Taken away inside the network, at every token; in its place ${replacementWords(replacement)} (${counted(images, "image")})`,
  });
  for (const { name, accuracy, random } of forward.rows) {
    dots.push({ name, value: accuracy, random, note: noteOf(accuracy, random) });
  }
  return dots;
}

function noteOf({ share }: PictureShare, random: PictureBand | null): string {
  if (!random) return percentOf(share);
  return `${percentOf(share)}; ${Math.round(random.atMost * random.draws)} of ${random.draws} random sets no higher`;
}
