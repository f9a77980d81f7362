import { pixelSize } from "../../../src/views/kit/panel.ts";
import { MARGIN } from "../../../src/views/kit/svg.ts";
import { lookPictures, lookSvg } from "../../../src/views/look/svg.ts";
import { encodePng } from "../exports/save.ts";
import { loadPixels } from "../plots/pixels.ts";
import { ApiError } from "../state/api.ts";
import type { ViewThread } from "./thread.ts";
import type { Looked } from "./worker.ts";

/** What a view shows. */
export interface Shown {
  readonly model: string;
  /** The file's bytes, and what it is called. */
  readonly picture: Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly texts: readonly string[];
  readonly heads: string;
}

/** What a view tells of. */
export interface ViewEvents {
  onLooked(looked: Looked): void;
  onProblem(problem: { readonly code: string; readonly message: string; readonly hint: string }): void;
  /** A head was chosen, or all of them. */
  onHeads(heads: string): void;
}

/** A view in a page that is somebody else's. */
export interface View {
  show(shown: Shown): Promise<void>;
  /** Says why nothing is shown. */
  fail(error: unknown): void;
}

/** Pixels of a drawing's content. */
const NARROWEST = 280;
const WIDEST = 720;
/** A change of its width that is worth another drawing. */
const RESIZED = 24;

const STYLE = `
:host { display: block; }
.view { font: 15px/1.5 system-ui, sans-serif; color: #1c2128; background: #fff; max-width: 768px; }
.texts { display: flex; flex-wrap: wrap; gap: 6px; padding: 12px 24px 0; }
.texts:empty { display: none; }
button { font: inherit; color: inherit; background: #f6f8fa; border: 1px solid #d0d7de; border-radius: 6px; padding: 4px 12px; min-height: 36px; cursor: pointer; }
button[aria-pressed="true"] { background: #0b5cad; border-color: #0b5cad; color: #fff; }
button:focus-visible, .cell:focus-visible { outline: 2px solid #0b5cad; outline-offset: 2px; }
@media (pointer: coarse) { button { min-width: 44px; min-height: 44px; } }
.picture svg { display: block; max-width: 100%; height: auto; }
.cell { cursor: pointer; }
.status { color: #57606a; margin: 0; padding: 0 24px 12px; display: flex; flex-wrap: wrap; gap: 8px; align-items: center; min-height: 38px; }
.problem { background: #ffebe9; border-left: 3px solid #cf222e; padding: 8px 12px; }
`;

/**
 * Fills an element: buttons of texts, and the drawing of a look, the same that `explain` saves. A cell of the matrix chooses
 * its head, whose map is then shown.
 */
export function createView(root: ShadowRoot, thread: ViewThread, events: ViewEvents): View {
  const element = <K extends keyof HTMLElementTagNameMap>(tag: K, className = "") =>
    Object.assign(document.createElement(tag), { className });
  const view = element("section", "view");
  view.setAttribute("aria-label", "What the heads saw");
  const style = element("style");
  style.textContent = STYLE;
  const [texts, picture, status] = [
    element("div", "texts"),
    element("div", "picture"),
    element("p", "status"),
  ];
  status.setAttribute("role", "status");
  view.append(texts, picture, status);
  root.replaceChildren(style, view);
  let chosen = "";
  /** Draws again what is shown, in the room that there is now. */
  let redraw = () => {};
  let drawnFor = 0;
  new ResizeObserver(() => {
    if (drawnFor > 0 && Math.abs(view.clientWidth - drawnFor) > RESIZED) redraw();
  }).observe(view);
  /** What is asked last is shown last. */
  let turn = 0;

  const fail = (error: unknown) => {
    const problem =
      error instanceof ApiError
        ? error.problem
        : { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), hint: "" };
    const said = element("span", "problem");
    said.textContent = [problem.message, problem.hint].filter((part) => part !== "").join(". ");
    status.replaceChildren(said);
    events.onProblem(problem);
  };

  const draw = async (looked: Looked, shown: Shown, mine: number) => {
    redraw = () => void draw(looked, shown, mine).catch(fail);
    const one = looked.segmentation.texts.find(({ text }) => text === chosen) ?? looked.segmentation.texts[0];
    const look = { ...looked, segmentation: { ...looked.segmentation, texts: [one] } };
    const url = URL.createObjectURL(new Blob([shown.picture]));
    try {
      const pixels = await loadPixels(url, pixelSize(look.segmentation));
      const room = Math.max(NARROWEST, Math.min(WIDEST, view.clientWidth - 2 * MARGIN));
      const svg = lookSvg(look, await lookPictures(look, pixels, encodePng), room);
      drawnFor = view.clientWidth;
      if (mine !== turn) return;
      const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
      picture.replaceChildren(document.importNode(parsed, true));
    } finally {
      URL.revokeObjectURL(url);
    }
    for (const cell of picture.querySelectorAll<SVGElement>(".cell")) {
      const [name] = cell.querySelector("title")?.textContent?.split(" ") ?? [];
      if (!name || !looked.explanation.texts[0].heads.some((head) => head.name === name)) continue;
      cell.setAttribute("role", "button");
      cell.setAttribute("tabindex", "0");
      cell.setAttribute("aria-pressed", String(shown.heads === name));
      const choose = () => events.onHeads(shown.heads === name ? "all" : name);
      cell.addEventListener("click", choose);
      cell.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose();
      });
    }
    texts.replaceChildren(
      ...(shown.texts.length > 1 ? shown.texts : []).map((text) => {
        const button = element("button");
        button.type = "button";
        button.textContent = text;
        button.setAttribute("aria-pressed", String(text === one.text));
        button.onclick = () => {
          chosen = text;
          redraw();
        };
        return button;
      }),
    );
    const all = element("button");
    all.type = "button";
    all.textContent = "All heads";
    all.onclick = () => events.onHeads("all");
    status.replaceChildren(
      ...(shown.heads === "all"
        ? ["Choose a cell to see where that head looked."]
        : [`The map is of ${shown.heads}.`, all]),
    );
  };

  return {
    fail,
    async show(shown) {
      const mine = ++turn;
      status.textContent = "Looking …";
      const image = await thread.addPicture(shown.picture);
      const { model, name, heads } = shown;
      const looked = await thread.look({ model, image, name, texts: shown.texts, heads });
      if (mine !== turn) return;
      await draw(looked, shown, mine);
      if (mine === turn) events.onLooked(looked);
    },
  };
}
