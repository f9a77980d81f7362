import type { RefereeResult } from "../../results/referee.ts";
import { csvOf } from "../kit/csv.ts";

/** Every method, a line each; what did not run has no numbers. */
export function refereeMethodsCsv({ origin, methods }: RefereeResult): string {
  const head = [
    ...["method", "name", "reads", "bound", "heads", "right", "share", "constant", "constant_p_holm"],
    ...[
      "permuted",
      "permuted_p",
      "layered",
      "layered_p",
      "layered_p_holm",
      "trainings_low",
      "trainings_high",
    ],
    ...["captured", "verdict", "other_images", "half_of_texts", "same_by_images", "same_by_texts"],
    ...[
      "own_drop",
      "other_drop",
      "peer_drop",
      "drop_p",
      "drop_p_holm",
      "matched_pairs",
      "matched_same",
      "matched_p",
    ],
  ];
  const rows = methods.map((method) => {
    const { accuracy: of, causal, matched } = method;
    return [
      ...[method.key, method.name, method.reads.join(" "), method.bound, of?.heads, of?.right, of?.share],
      ...[
        of?.constant,
        method.constantPHolm,
        of?.permuted?.mean,
        of?.permutedP,
        of?.layered?.mean,
        of?.layeredP,
      ],
      ...[
        method.layeredPHolm,
        of?.trainings?.low,
        of?.trainings?.high,
        of?.gain?.mean,
        of?.gainP,
        method.gainPHolm,
        of?.captured,
        method.verdict,
      ],
      ...[method.images?.mean, method.texts?.mean, method.sameByImages, method.sameByTexts],
      ...[causal?.own, causal?.others, causal?.peers, causal?.p, causal?.pHolm],
      ...[matched?.pairs, matched?.same, matched?.p],
    ];
  });
  return csvOf(origin, head, rows);
}

/** Every head, a line each: what is true of it, and the label of every method that ran. */
export function refereeHeadsCsv({ origin, models, methods }: RefereeResult): string {
  const ran = methods.filter(({ accuracy }) => accuracy !== null);
  const rows = models.flatMap(({ origin: { model }, heads }) =>
    heads.map(({ layer, name, best, shares }) => [
      ...[model.name, `L${layer}`, name, best, Math.max(...shares)],
      ...ran.map(
        ({ claims }) => claims.find((claim) => claim.model === model.name && claim.name === name)?.label,
      ),
    ]),
  );
  return csvOf(origin, ["model", "layer", "head", "truth", "share", ...ran.map(({ key }) => key)], rows);
}
