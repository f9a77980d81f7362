/** What the classes of the benchmarks are called, in the order of their numbers, as their authors list them, in words. */

const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*/);

/** PASCAL VOC 2012: 20 things. */
export const VOC = words(`
  aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, dining table, dog, horse, motorbike, person,
  potted plant, sheep, sofa, train, tv monitor
`);

/** PASCAL Context: the 59 most frequent classes. */
export const CONTEXT = words(`
  aeroplane, bag, bed, bedclothes, bench, bicycle, bird, boat, book, bottle, building, bus, cabinet, car, cat,
  ceiling, chair, cloth, computer, cow, cup, curtain, dog, door, fence, floor, flower, food, grass, ground, horse,
  keyboard, light, motorbike, mountain, mouse, person, plate, platform, potted plant, road, rock, sheep, shelves,
  sidewalk, sign, sky, snow, sofa, table, track, train, tree, truck, tv monitor, wall, water, window, wood
`);

/** COCO-Stuff: 80 things, then 91 kinds of stuff. */
export const STUFF = words(`
  person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
  parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
  handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
  surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange,
  broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv,
  laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase,
  scissors, teddy bear, hair drier, toothbrush, banner, blanket, branch, bridge, building, bush, cabinet, cage,
  cardboard, carpet, ceiling, ceiling tile, cloth, clothes, clouds, counter, cupboard, curtain, desk, dirt, door,
  fence, floor marble, floor, floor stone, floor tile, floor wood, flower, fog, food, fruit, furniture, grass,
  gravel, ground, hill, house, leaves, light, mat, metal, mirror, moss, mountain, mud, napkin, net, paper,
  pavement, pillow, plant, plastic, platform, playing field, railing, railroad, river, road, rock, roof, rug,
  salad, sand, sea, shelf, sky, skyscraper, snow, solid, stairs, stone, straw, structural, table, tent, textile,
  towel, tree, vegetable, wall brick, wall concrete, wall, wall panel, wall stone, wall tile, wall wood, water,
  water drops, window blind, window, wood
`);

/** Cityscapes: the 19 classes that are evaluated. */
export const CITY = words(`
  road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation, terrain, sky, person,
  rider, car, truck, bus, train, motorcycle, bicycle
`);

/** ADE20K: the 150 classes of its scene parsing challenge. */
export const ADE = words(`
  wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk, person, earth, door,
  table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field,
  armchair, seat, fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard,
  chest of drawers, counter, sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway,
  case, pool table, pillow, screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower,
  book, hill, bench, countertop, stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine,
  hovel, bus, towel, light, truck, tower, chandelier, awning, street light, booth, television receiver, airplane,
  dirt track, apparel, pole, land, bannister, escalator, ottoman, bottle, buffet, poster, stage, van, ship,
  fountain, conveyer belt, canopy, washer, plaything, swimming pool, stool, barrel, basket, waterfall, tent, bag,
  minibike, cradle, oven, ball, food, step, tank, trade name, microwave, pot, animal, bicycle, lake, dishwasher,
  screen, blanket, sculpture, hood, sconce, vase, traffic light, tray, ashcan, fan, pier, crt screen, plate,
  monitor, bulletin board, shower, radiator, glass, clock, flag
`);
