/** What the referee says in words, computed from what was measured: the same for HTML, Markdown and the terminal. */
import type { RefereeMethod, RefereeResult } from "../../results/referee.ts";
import { counted } from "../kit/text.ts";
import { number, percent, rangeOf } from "../study/words.ts";

/** A p-value as a table prints it. */
export const pOf = (p: number | null): string => (p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

/** A p-value in a sentence. */
const inWords = (p: number | null): string =>
  p === null ? "not tested" : p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;

/** Accuracy in points: `+4.5`, `−0.2`. */
export const points = (share: number): string => {
  const value = number(100 * share, 1);
  return share > 0 && value !== "0.0" ? `+${value}` : value;
};

/** Methods that ran and are no bounds, most heads right first. */
export const contestants = ({
  methods,
}: RefereeResult): (RefereeMethod & {
  readonly accuracy: NonNullable<RefereeMethod["accuracy"]>;
})[] =>
  methods.flatMap((method) =>
    method.bound === null && method.accuracy !== null ? [{ ...method, accuracy: method.accuracy }] : [],
  );

const LEVEL = 0.05;
const isBelow = (p: number | null | undefined): boolean => p !== null && p !== undefined && p < LEVEL;
const names = (methods: readonly { readonly name: string }[]): string =>
  methods.map(({ name }) => name).join("; ");

/** The title of the report. */
export const titleOf = ({ models, methods }: RefereeResult): string =>
  `${counted(methods.filter(({ bound, accuracy }) => bound === null && accuracy !== null).length, "way")} to say what a head does, judged by known truth (${counted(models.length, "model")})`;

/** What was found, most important first; a sentence or two each. */
export function findings(result: RefereeResult): string[] {
  return [verdicts, behind, elsewhere, causes, trainings, ceiling, caveatOf].flatMap(
    (say) => say(result) ?? [],
  );
}

/** For a terminal. */
export const refereeTerminal = (result: RefereeResult): string => `${findings(result).join("\n\n")}\n`;

/** Who beats what. */
function verdicts(result: RefereeResult): string | undefined {
  const methods = contestants(result);
  const [leader] = methods;
  if (!leader) return undefined;
  const { constant } = result;
  const { right, heads, share, constant: beside, layered } = leader.accuracy;
  const by = (verdict: RefereeMethod["verdict"]) => methods.filter((method) => method.verdict === verdict);
  const [better, here] = [by("beats one label for all"), by("beats it over these heads only")];
  const [fitting, lost] = [by("beats chance only"), by("not told from chance")];
  const groups = [
    better.length > 0
      ? `Better than one label for all, over heads and over trainings: ${names(better)}.`
      : "No method is shown to be better than one label for all once trainings are counted, not heads.",
    ...(here.length > 0
      ? [`Better than it over these heads only, which are not independent draws: ${names(here)}.`]
      : []),
    ...(fitting.length > 0
      ? [`Better than chance within layers, but not than one label for all: ${names(fitting)}.`]
      : []),
    ...(lost.length > 0 ? [`Not told from labels dealt out at random within layers: ${names(lost)}.`] : []),
  ];
  return `${leader.name} is right most often: for ${right} of ${counted(heads, "head")} (${percent(share)}) it names the factor that truly explains most of what the head writes. Always saying “${constant.label}” is right for ${percent(beside)}, its own labels dealt out at random within layers for ${percent(layered?.mean ?? 0)}. ${groups.join(" ")}`;
}

/** Whether the leader leads. */
function behind(result: RefereeResult): string | undefined {
  const [leader, ...others] = contestants(result);
  if (!leader || others.length === 0) return undefined;
  const clear = others.filter((method) => isBelow(method.behind?.p));
  const rest = others.filter((method) => !clear.includes(method));
  const told =
    clear.length === 0
      ? `No other method is told apart from ${leader.name}`
      : `Behind ${leader.name} by more than accident: ${names(clear)}`;
  return `${told} (sign test over heads, corrected for ${others.length})${clear.length > 0 && rest.length > 0 ? `; not told apart from it: ${names(rest)}` : ""}.`;
}

/** Whether it holds for other images and texts. */
function elsewhere(result: RefereeResult): string | undefined {
  const methods = contestants(result);
  const changes = methods.flatMap(({ name, accuracy, images, texts }) => [
    ...(images ? [{ name, what: "other images", lost: accuracy.share - images.mean }] : []),
    ...(texts ? [{ name, what: "half of the texts", lost: accuracy.share - texts.mean }] : []),
  ]);
  const [leader] = methods;
  const [worst] = [...changes].sort((a, b) => b.lost - a.lost);
  if (!leader || !worst) return undefined;
  const own = [
    ...(leader.images
      ? [`judged by images that it did not see it is right for ${percent(leader.images.mean)}`]
      : []),
    ...(leader.texts
      ? [`with half of the texts for ${percent(leader.texts.mean)} ${rangeOf(leader.texts)}`]
      : []),
  ];
  return `${own.length > 0 ? `${leader.name} elsewhere: ${own.join(", ")}. ` : ""}${
    worst.lost > 0.005
      ? `Most is lost by ${worst.name} with ${worst.what}: ${number(100 * worst.lost, 0)} points of 100.`
      : "No method loses a point of 100 with other images or half of the texts."
  }`;
}

/** Whether the model uses heads for what they are said to do. */
function causes(result: RefereeResult): string | undefined {
  const methods = contestants(result).flatMap((method) =>
    method.causal ? [{ ...method, causal: method.causal }] : [],
  );
  const [leader] = methods;
  if (!leader) return undefined;
  const { own, others, peers } = leader.causal;
  const clear = methods.filter(({ causal }) => isBelow(causal.pHolm));
  const verdict =
    clear.length === 0
      ? "For no method does the labelled factor suffer more than chance within layers gives."
      : `More than labels dealt out within layers give, the labelled factor suffers for ${names(clear)}${clear.length < methods.length ? `; not for ${names(methods.filter((method) => !clear.includes(method)))}` : ""}.`;
  return `Taken out, a head costs the factor that ${leader.name} names ${points(own)} points of accuracy on average, other factors ${points(others)}; another head of the same layer costs that factor ${points(peers)}. ${verdict}`;
}

/** What trainings say. */
function trainings(result: RefereeResult): string | undefined {
  const [leader] = contestants(result);
  const gain = leader?.accuracy.gain;
  if (!leader || !gain) return undefined;
  const all = contestants(result).length;
  const matched = leader.matched;
  const pairs =
    matched === null
      ? ""
      : ` Of ${counted(matched.pairs, "pair")} of heads of other seeds that respond most alike, it gives ${matched.same} the same label (${percent(matched.same / matched.pairs)}), ${percent(matched.byChance?.mean ?? 0)} by chance (${inWords(matched.p)}).`;
  return `Over ${counted(result.models.length, "training")}, ${leader.name} is ahead of one label for all by ${number(100 * gain.mean, 0)} points of 100, 95 % [${number(100 * gain.low, 0)}, ${number(100 * gain.high, 0)}] (${inWords(leader.accuracy.gainP)}; corrected for ${counted(all, "method")}, of which it is the best, ${inWords(leader.gainPHolm)}).${pairs}`;
}

/** How right one could be. */
function ceiling({ methods }: RefereeResult): string | undefined {
  const upper = methods.find(({ bound }) => bound === "upper")?.accuracy;
  return upper
    ? `The bound: who knows the factors of half of the images is right for ${upper.right} of ${counted(upper.heads, "head")} (${percent(upper.share)}), and names ${percent(upper.captured)} of the selectivity that the strongest factors have.`
    : undefined;
}

/** What every reader must know. */
export const caveatOf = ({ models }: RefereeResult): string =>
  models.every(({ origin }) => origin.model.name.startsWith("emoji-"))
    ? "All this is of small models of a generated world, whose factors are few and known. What fails here fails where everything is simple; what works here may not work on photographs."
    : "Truth here is what is known of these images. What nobody wrote down of them may explain more of a head.";

/** How it is judged. */
export const METHOD =
  "Every method is given the same models, images and texts, and names one property a head. It is right where that property's factor has the head's highest ε² (the share of what the head writes that the factor explains, over images whose factors are known). Beside it stands what needs no look at the heads: one label for all; the method's own labels dealt out again within a model and within layers (p: share of such permutations that do as well; a head without a label counts as wrong). p-values are corrected over the methods (Holm). Heads of one model are not independent draws, so the gain over one label for all is tested over trainings too (Student's t about the models' own shares).";

/** How heads are taken out. */
export const CAUSAL =
  "What a head writes is replaced by its mean over images, and each factor is read off the embedding zero-shot again. In points of accuracy, means over the heads whose label is a factor. By chance: the same labels dealt out again within layers, which keeps what each head and each factor loses by itself. This is the head's direct effect; what later layers read of it stays.";

/** What halves are. */
export const ELSEWHERE =
  "Other images: labels by half of the images, truth by the other half. Half of the texts: labels by half of the pool's texts of each property. Ranges are over random halvings. Same label: share of heads that get the label of all images and texts.";
