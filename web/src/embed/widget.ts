import { threadOf } from "./thread.ts";
import { createView } from "./view.ts";
import type { ModelPlace } from "./worker.ts";

/** What anywidget hands over: the Python side's traits, and a way to send messages. */
export interface AnyModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  save_changes(): void;
  send(content: unknown): void;
}

/** A message of the Python side with files behind it. */
interface Files {
  readonly id: number;
  readonly names: readonly string[];
}

let lastAsked = 0;

/** Asks the Python side for files: the runtime's or a model's, which travel once a page and not once a view. */
function filesOf(model: AnyModel, what: string): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  return new Promise((resolve) => {
    const id = ++lastAsked;
    const receive = ({ id: of, names }: Files, buffers: readonly DataView<ArrayBuffer>[]) => {
      if (of !== id) return;
      model.off("msg:custom", receive as never);
      resolve(Object.fromEntries(names.map((name, i) => [name, copyOf(buffers[i])])));
    };
    model.on("msg:custom", receive as never);
    model.send({ id, files: what });
  });
}

/** Apart from the message that it came in. */
const copyOf = ({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>) =>
  new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));

/** Shows one widget in a cell's output, and says the results to the Python side. @returns what ends it */
export function renderWidget({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const wasm = async () => {
    const { "runtime.wasm.gz": bytes } = await filesOf(model, "runtime");
    return bytes.buffer;
  };
  const host = el.appendChild(document.createElement("div"));
  const tell = (trait: string, value: unknown) => {
    model.set(trait, value);
    model.save_changes();
  };
  const view = createView(host.attachShadow({ mode: "open" }), threadOf(wasm), {
    onLooked: (looked) => {
      model.set("_problem", {});
      tell("_looked", looked);
    },
    onProblem: (problem) => tell("_problem", problem),
    onHeads: (heads) => tell("heads", heads),
  });
  const show = async () => {
    const name = model.get("_model") as string;
    await threadOf(wasm).addModel(name, async (): Promise<ModelPlace> => {
      if (name.includes("://")) return { address: name };
      return { name: name.split(/[/\\]/).at(-1)!, files: await filesOf(model, "model") };
    });
    const { buffer, byteOffset, byteLength } = model.get("_picture") as DataView<ArrayBuffer>;
    await view.show({
      ...{ model: name, name: model.get("_name") as string, heads: model.get("heads") as string },
      picture: new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength)),
      texts: model.get("texts") as string[],
    });
  };
  const update = () => void show().catch(view.fail);
  const traits = ["heads", "texts"].map((name) => `change:${name}`);
  for (const trait of traits) model.on(trait, update);
  update();
  return () => {
    for (const trait of traits) model.off(trait, update);
    host.remove();
  };
}
