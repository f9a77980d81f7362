import { afterAll, beforeEach, expect, it } from "vitest";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import { createOpenModels, type ModelsPlace } from "../../src/tab/open-models.ts";

const [small, other, large, second] = EMBEDDED_MODELS;
const opened: string[] = [];
const released: string[] = [];
const made: { release(): Promise<void> }[] = [];
const working = new Map<string, string>();
const place: ModelsPlace = {
  async load(name) {
    opened.push(name);
    const model = await openModel(name);
    made.push(model);
    return {
      ...model,
      async release() {
        released.push(name);
        await model.release();
      },
    };
  },
  isLarge: (name) => name === large || name === second,
  workOf: (name) => working.get(name),
};
beforeEach(() => {
  opened.length = 0;
  released.length = 0;
  working.clear();
});
afterAll(() => Promise.all(made.map((model) => model.release())));

it("opens a model once, and again when it was closed", async () => {
  const models = createOpenModels(place);
  expect(await models.open(small)).toBe(await models.open(small));
  await models.close(small);
  expect(released).toEqual([small]);
  await models.open(small);
  expect(opened).toEqual([small, small]);
});

it("has one that was fetched at a time, whichever was asked before", async () => {
  const models = createOpenModels(place);
  await models.open(small);
  await models.open(large);
  await models.open(second);
  expect(released).toEqual([large]);
  await models.open(large);
  expect(released).toEqual([large, second]);
  expect(opened).toEqual([small, large, second, large]);
});

it("takes no place from one that is at work", async () => {
  const models = createOpenModels(place);
  await models.open(large);
  working.set(large, "Holiday");
  await expect(models.open(second)).rejects.toMatchObject({
    code: "MODEL_BUSY",
    message: expect.stringContaining("“Holiday”"),
  });
  expect(released).toEqual([]);
  working.clear();
  await models.open(second);
  expect(released).toEqual([large]);
});

it("does not close one that is at work", async () => {
  const models = createOpenModels(place);
  await models.open(large);
  working.set(large, "Holiday");
  const busy = { code: "MODEL_BUSY", message: expect.stringContaining("“Holiday”") };
  await expect(models.close(large)).rejects.toMatchObject(busy);
  expect(() => models.requireIdle(large)).toThrow(expect.objectContaining(busy));
  expect(released).toEqual([]);
  working.clear();
  models.requireIdle(large);
  await models.close(large);
  expect(released).toEqual([large]);
});

it("keeps what was open where another cannot be opened", async () => {
  const models = createOpenModels({
    ...place,
    load: (name) => (name === second ? Promise.reject(new Error("gone")) : place.load(name)),
  });
  const before = await models.open(large);
  await expect(models.open(second)).rejects.toThrow("gone");
  expect(released).toEqual([]);
  expect(await models.open(large)).toBe(before);
});

it("lets go of what was asked least recently, but for what is at work", async () => {
  const models = createOpenModels({ ...place, isLarge: () => false });
  working.set(small, "Holiday");
  for (const name of [small, other, large]) await models.open(name);
  await models.open(second);
  expect(released).toEqual([other]);
});

it("opens one anew where it is computed elsewhere now, and closes all unless one is at work", async () => {
  let device = "cpu";
  const models = createOpenModels({
    ...place,
    deviceOf: () => device,
    load: async (name) => ({ ...(await place.load(name)), device }),
  });
  const before = await models.open(small);
  device = "webgpu";
  expect((await models.open(small)).device).toBe("webgpu");
  expect(await models.open(small)).not.toBe(before);
  expect(released).toEqual([small]);
  working.set(small, "Holiday");
  await expect(models.closeAll()).rejects.toMatchObject({ code: "MODEL_BUSY" });
  working.clear();
  await models.closeAll();
  expect(released).toEqual([small, small]);
});
