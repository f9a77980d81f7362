/** Texts to try on a scene: some true of it, some not. */

import { Random } from "../math/random.ts";
import { backgroundPhrase, coloursShow, countedConcept, countedGroup, POSITION_PHRASES } from "./captions.ts";
import { CONCEPTS, conceptNamed, GROUPS } from "./concepts.ts";
import { BACKGROUND_NAMES, COUNTS, POSITIONS } from "./factors.ts";
import { type Scene, sceneSeed } from "./scene.ts";

/** Candidate texts about a scene; every false one changes one thing that a true one says. */
export interface Candidates {
  readonly isTrue: string[];
  readonly isFalse: string[];
}

/** Deterministic candidates for a scene: its concept, group, background, count and position, each beside a wrong one. */
export function candidates(scene: Scene): Candidates {
  const random = new Random(sceneSeed(scene) ^ 0x7e57, scene.index);
  const other = <T>(values: readonly T[], ...wrong: readonly T[]): T =>
    random.pick(values.filter((value) => !wrong.includes(value)));
  const shown = scene.objects.map((object) => object.concept);
  const groups = shown.map((concept) => conceptNamed(concept).group);
  const count = scene.count ?? 1;
  const strange = other(
    CONCEPTS.filter(({ group }) => !groups.includes(group)).map(({ name }) => name),
    ...shown,
  );
  const strangeGroup = other(
    GROUPS.map(({ name }) => name),
    ...groups,
  );
  const pairs = [
    [countedConcept(shown[0], count), countedConcept(strange, count)],
    [countedGroup(groups[0], count), countedGroup(strangeGroup, count)],
  ];
  if (coloursShow(scene)) {
    const wrong = other(BACKGROUND_NAMES, scene.background);
    const subject = countedConcept(shown[0], count);
    pairs.push([
      `${subject} ${backgroundPhrase(new Random(0), scene.background, null)}`,
      `${subject} ${backgroundPhrase(new Random(0), wrong, null)}`,
    ]);
  }
  if (scene.count !== null) {
    pairs.push([countedConcept(shown[0], count), countedConcept(shown[0], other(COUNTS, scene.count))]);
  } else {
    pairs.push([
      `${countedConcept(shown[0], 1)} and ${countedConcept(shown[1], 1)}`,
      `${countedConcept(shown[0], 1)} and ${countedConcept(strange, 1)}`,
    ]);
  }
  if (scene.position !== null) {
    const subject = countedConcept(shown[0], 1);
    const [here, elsewhere] = [scene.position, other(POSITIONS, scene.position)].map(
      (p) => POSITION_PHRASES[p][0],
    );
    pairs.push([`${subject} ${here}`, `${subject} ${elsewhere}`]);
  }
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  return { isTrue: unique(pairs.map(([text]) => text)), isFalse: unique(pairs.map(([, text]) => text)) };
}
