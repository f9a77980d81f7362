/**
 * One script for pages of one's own: `<clip-interpret-view image="cat.jpg" texts="a cat|a dog">`, and what anywidget renders
 * in notebooks. Whatever is shown is computed in the tab.
 */
import { threadOf } from "./thread.ts";
import { createView, type View } from "./view.ts";
import { type AnyModel, renderWidget } from "./widget.ts";
import type { ModelPlace } from "./worker.ts";

/** What lies beside this script: the runtime and the models. In a notebook it has no address, and nothing is asked for here. */
const beside = (path: string) => new URL(path, import.meta.url);
const DEFAULT_MODEL = "emoji-4x128-p8";

const fetched = async (address: URL): Promise<Response> => {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.href}: the server answers ${response.status}`);
  return response;
};
const wasm = async () => (await fetched(beside("runtime.wasm.gz"))).arrayBuffer();
const placeOf = (model: string, relativeTo: string) => async (): Promise<ModelPlace> => {
  if (/[/:]/.test(model)) return { address: new URL(model, relativeTo).href };
  const { models } = (await (await fetched(beside("page.json"))).json()) as {
    models: Record<string, Record<string, string>>;
  };
  if (!models[model])
    throw new Error(`there is no model ${model}: ${Object.keys(models).join(", ")}, or an address`);
  return { address: beside(`models/${model}`).href, hashes: models[model] };
};

/**
 * Attributes: `image` (an address), `texts` (separated by `|`), `heads` (default: all), `model` (an embedded one's name, or
 * the address of a folder; default: emoji-4x128-p8). `looked` fires with `detail` = the results of `explain --json` and of
 * `segment --json`; `problem` with a code, a message and a hint.
 */
class ClipInterpretView extends HTMLElement {
  static readonly observedAttributes = ["image", "texts", "heads", "model"];
  #view: View | undefined;
  #waiting = false;

  connectedCallback() {
    const tell = (name: string, detail: unknown) =>
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    this.#view ??= createView(this.shadowRoot ?? this.attachShadow({ mode: "open" }), threadOf(wasm), {
      onLooked: (looked) => tell("looked", looked),
      onProblem: (problem) => tell("problem", problem),
      onHeads: (heads) => this.setAttribute("heads", heads),
    });
    this.#update();
  }
  attributeChangedCallback() {
    if (this.#view) this.#update();
  }

  /** Several attributes that change in one go are one question. */
  #update() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      void this.#show().catch((error: unknown) => this.#view?.fail(error));
    });
  }
  async #show() {
    const [image, texts] = [this.getAttribute("image"), this.getAttribute("texts") ?? ""];
    const split = texts.split("|").map((text) => text.trim());
    const asked = split.filter((text) => text !== "");
    if (!image || asked.length === 0)
      throw new Error('a view needs an image and texts: image="cat.jpg" texts="a cat|a dog"');
    const model = this.getAttribute("model") || DEFAULT_MODEL;
    const [, picture] = await Promise.all([
      threadOf(wasm).addModel(model, placeOf(model, document.baseURI)),
      fetched(new URL(image, document.baseURI)).then((response) => response.arrayBuffer()),
    ]);
    const name = image.slice(image.lastIndexOf("/") + 1);
    const heads = this.getAttribute("heads") || "all";
    await this.#view?.show({ model, picture: new Uint8Array(picture), name, texts: asked, heads });
  }
}

if (!customElements.get("clip-interpret-view"))
  customElements.define("clip-interpret-view", ClipInterpretView);

export default { render: (given: { model: AnyModel; el: HTMLElement }) => renderWidget(given) };
