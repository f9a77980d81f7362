/** What the world is made of: every concept, its words and the icon that draws it. */

/** A kind of thing, with the words captions use for one and for several of it. */
export interface Group {
  readonly name: string;
  readonly one: string;
  readonly many: string;
}

/** One drawable thing. `icon` is its name in every icon set. */
export interface Concept {
  readonly name: string;
  readonly plural: string;
  readonly group: string;
  readonly icon: string;
}

/** The kinds of thing, in the order in which their indices are written. */
export const GROUPS: readonly Group[] = [
  { name: "animal", one: "an animal", many: "animals" },
  { name: "plant", one: "a plant", many: "plants" },
  { name: "food", one: "a food item", many: "food items" },
  { name: "vehicle", one: "a vehicle", many: "vehicles" },
  { name: "building", one: "a building", many: "buildings" },
  { name: "sport", one: "a sports item", many: "sports items" },
  { name: "instrument", one: "a musical instrument", many: "musical instruments" },
  { name: "object", one: "a household object", many: "household objects" },
  { name: "sky", one: "a thing in the sky", many: "things in the sky" },
];

type Row = readonly [name: string, icon?: string, plural?: string];

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  animal: [
    ["cat", "cat-face"],
    ["dog", "dog-face"],
    ["pig", "pig-face"],
    ["panda"],
    ["penguin"],
    ["frog"],
    ["fish", "tropical-fish", "fish"],
    ["butterfly", "butterfly", "butterflies"],
    ["turtle"],
    ["octopus", "octopus", "octopuses"],
    ["elephant"],
    ["owl"],
    ["snail"],
    ["crab"],
    ["whale", "spouting-whale"],
    ["ladybug", "lady-beetle"],
  ],
  plant: [
    ["sunflower"],
    ["rose"],
    ["tulip"],
    ["cactus", "cactus", "cactuses"],
    ["palm tree", "palm-tree"],
    ["pine tree", "evergreen-tree"],
    ["clover", "four-leaf-clover"],
    ["mushroom"],
  ],
  food: [
    ["apple", "red-apple"],
    ["banana"],
    ["strawberry", "strawberry", "strawberries"],
    ["watermelon"],
    ["pineapple"],
    ["lemon"],
    ["carrot"],
    ["eggplant"],
    ["pizza"],
    ["hamburger"],
    ["doughnut"],
    ["ice cream", "soft-ice-cream"],
    ["lollipop"],
    ["cake", "birthday-cake"],
    ["coffee cup", "hot-beverage"],
    ["beer mug", "beer-mug"],
  ],
  vehicle: [
    ["car", "automobile"],
    ["bus", "bus", "buses"],
    ["airplane"],
    ["rocket"],
    ["bicycle"],
    ["sailboat"],
    ["helicopter"],
    ["tractor"],
    ["ambulance"],
    ["train", "locomotive"],
  ],
  building: [
    ["house"],
    ["castle"],
    ["tent"],
    ["church", "church", "churches"],
    ["factory", "factory", "factories"],
    ["tower", "tokyo-tower"],
    ["ferris wheel", "ferris-wheel"],
  ],
  sport: [
    ["soccer ball", "soccer-ball"],
    ["basketball"],
    ["football", "american-football"],
    ["bow and arrow", "bow-and-arrow", "bows and arrows"],
    ["trophy", "trophy", "trophies"],
    ["boxing glove", "boxing-glove"],
  ],
  instrument: [["guitar"], ["trumpet"], ["violin"], ["drum"], ["saxophone"]],
  object: [
    ["umbrella"],
    ["key"],
    ["light bulb", "light-bulb"],
    ["alarm clock", "alarm-clock"],
    ["camera"],
    ["gift", "wrapped-gift"],
    ["crown"],
    ["bell"],
    ["hammer"],
    ["balloon"],
  ],
  sky: [["sun"], ["moon", "crescent-moon"], ["star"], ["cloud"], ["rainbow"], ["snowflake"]],
};

/** Every concept of the world, in the order in which its index is written. */
export const CONCEPTS: readonly Concept[] = GROUPS.flatMap((group) =>
  ROWS[group.name].map(([name, icon = name, plural = `${name}s`]) => ({
    name,
    plural,
    group: group.name,
    icon,
  })),
);

/** The concept of that name; throws on a name that the world does not have. */
export function conceptNamed(name: string): Concept {
  const concept = CONCEPTS.find((candidate) => candidate.name === name);
  if (concept === undefined) throw new Error(`the world has no concept named '${name}'`);
  return concept;
}

/** The group of that name; throws on a name that the world does not have. */
export function groupNamed(name: string): Group {
  const group = GROUPS.find((candidate) => candidate.name === name);
  if (group === undefined) throw new Error(`the world has no group named '${name}'`);
  return group;
}
