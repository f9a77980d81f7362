import { useCallback, useSyncExternalStore } from "react";
import { writtenSet } from "../../../src/model/components.ts";
import { SCORINGS, type Scoring } from "../../../src/results/scoring.ts";
import { VIEWS, type View } from "./views.ts";

/** All that an address says. What is null or empty is the default, and not written. */
export interface ViewState {
  readonly view: View;
  readonly model: string | null;
  /** An image reference, as the API takes it. */
  readonly image: string | null;
  /** Null: what the picture is known to show. None at all is a choice too. */
  readonly texts: readonly string[] | null;
  /** Which text the picture and the matrix are about. */
  readonly on: number;
  /** A component set as written; empty: all heads. */
  readonly heads: string;
  /** Null: the one that the server says. */
  readonly corpus: string | null;
  /** A text that the one in question is held against: the other is taken off it. */
  readonly against: string | null;
  /** Whether the corpus's average picture is taken off this one. */
  readonly less: boolean;
  /** What the chosen heads' part in the score is replaced by, in a second score beside the first. */
  readonly without: Without;
  readonly mode: "topic" | "contrast";
  /** Of the colours of several maps. */
  readonly scale: "common" | "own";
  /** What neighbours are looked for by. */
  readonly by: "property" | "image" | "text";
  readonly property: string | null;
  readonly query: string | null;
  /** Null is the default for what is looked for. */
  readonly scoring: Scoring | null;
  readonly count: number;
  readonly seed: number;
  /** Of the colours over the picture, in per cent. */
  readonly opacity: number;
  /** Patches as squares instead of smoothed. */
  readonly squares: boolean;
  /** Step of the tour, 1–3; 0 when it is not taken. */
  readonly tour: number;
  /** The head whose page it is, `L3.H1`; null: all of them. */
  readonly head: string | null;
  /** The report that is read; null: the first. */
  readonly report: string | null;
  /** What heads are ordered by: a metric, or `place`; null: as the view likes. */
  readonly sort: string | null;
  /** Lowest first. */
  readonly up: boolean;
  /** Cards of all heads, however many there are. */
  readonly all: boolean;
  /** A text that heads are asked to know. */
  readonly knows: string | null;
  /** Words that labels, texts or factors of heads must hold. */
  readonly find: string;
  /** A metric that heads must have, in these bounds. */
  readonly only: string | null;
  readonly least: number | null;
  readonly most: number | null;
  /** Metrics of the scatter; null: as the view likes. */
  readonly x: string | null;
  readonly y: string | null;
  /** Whether maps lie over the pictures of a head's page. */
  readonly maps: boolean;
  /** One view alone, in a frame of another page. */
  readonly embed: boolean;
}

/** `no`: the heads are not taken out. */
export const WITHOUT = ["no", "mean", "zero"] as const;
export type Without = (typeof WITHOUT)[number];

/** A state whose defaults have been looked up: what every view is given, and what addresses hold. */
export interface Settled extends ViewState {
  readonly model: string;
  readonly image: string;
  readonly texts: readonly string[];
  readonly corpus: string;
}

const DEFAULTS: ViewState = {
  view: "look",
  model: null,
  image: null,
  texts: null,
  on: 0,
  heads: "",
  corpus: null,
  against: null,
  less: false,
  without: "no",
  mode: "topic",
  scale: "common",
  by: "property",
  property: null,
  query: null,
  scoring: null,
  count: 8,
  seed: 0,
  opacity: 100,
  squares: false,
  tour: 0,
  head: null,
  report: null,
  sort: null,
  up: false,
  all: false,
  knows: null,
  find: "",
  only: null,
  least: null,
  most: null,
  x: null,
  y: null,
  maps: true,
  embed: false,
};

const REPORT = /^[a-z0-9-]{1,60}$/;
const HEAD = /^L\d{1,3}\.H\d{1,3}$/;
const number = (text: string | null) =>
  text === null || text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text);

const whole = (text: string | null, least: number, most: number, fallback: number) => {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) && value >= least && value <= most ? value : fallback;
};
const one = <T extends string>(text: string | null, choices: readonly T[], fallback: T): T =>
  choices.find((choice) => choice === text) ?? fallback;

/** Reads an address; what it does not understand is the default. */
export function parseAddress(address: string): ViewState {
  const url = new URL(address, "http://localhost");
  const { searchParams: query } = url;
  const [above, last = ""] = url.pathname.split("/").slice(-2);
  const head = above === "heads" && HEAD.test(last) ? last : null;
  const report = above === "reports" && REPORT.test(last) ? last : null;
  return {
    view: report ? "reports" : head ? "heads" : one(last, VIEWS, "look"),
    head,
    report,
    model: query.get("model"),
    image: query.get("image"),
    texts: query.has("text") ? query.getAll("text").filter((text) => text.trim() !== "") : null,
    on: whole(query.get("on"), 0, 99, 0),
    heads: writtenSet(query.get("heads") ?? ""),
    corpus: query.get("corpus"),
    against: query.get("against"),
    less: query.get("less") === "1",
    without: one(query.get("without"), WITHOUT, "no"),
    mode: one(query.get("mode"), ["topic", "contrast"], "topic"),
    scale: one(query.get("scale"), ["common", "own"], "common"),
    by: one(query.get("by"), ["property", "image", "text"], "property"),
    property: query.get("property"),
    query: query.get("query"),
    scoring: SCORINGS.find((kind) => kind === query.get("scoring")) ?? null,
    count: whole(query.get("k"), 1, 64, DEFAULTS.count),
    seed: whole(query.get("seed"), 0, 2 ** 31, 0),
    opacity: whole(query.get("opacity"), 0, 100, DEFAULTS.opacity),
    squares: query.get("squares") === "1",
    tour: whole(query.get("tour"), 0, 3, 0),
    sort: query.get("sort"),
    up: query.get("up") === "1",
    all: query.get("all") === "1",
    knows: query.get("knows"),
    find: query.get("find") ?? "",
    only: query.get("only"),
    least: number(query.get("least")),
    most: number(query.get("most")),
    x: query.get("x"),
    y: query.get("y"),
    maps: query.get("maps") !== "0",
    // `&embed` says it as well.
    embed: ["1", ""].includes(query.get("embed") ?? "0"),
  };
}

/** Whether views are told by the part of the address that no server sees: one that only knows files has a single page. */
const BY_HASH = import.meta.env?.MODE === "page";

/** What the address says. */
const addressNow = () => (BY_HASH ? location.hash.slice(1) : location.pathname + location.search);

/** Writes an address that {@link parseAddress} reads back, relative to the page's base: where the app lies. */
export function formatAddress(state: ViewState): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | number | null, fallback: string | number | null) => {
    if (value !== null && value !== fallback) query.append(name, String(value));
  };
  put("model", state.model, null);
  put("image", state.image, null);
  // An empty one says that there is none.
  for (const text of state.texts?.length === 0 ? [""] : (state.texts ?? [])) query.append("text", text);
  put("on", state.on, 0);
  put("heads", state.heads, "");
  put("corpus", state.corpus, null);
  put("against", state.against, null);
  put("less", state.less ? 1 : 0, 0);
  put("without", state.without, "no");
  put("mode", state.mode, DEFAULTS.mode);
  put("scale", state.scale, DEFAULTS.scale);
  put("by", state.by, DEFAULTS.by);
  put("property", state.property, null);
  put("query", state.query, null);
  put("scoring", state.scoring, null);
  put("k", state.count, DEFAULTS.count);
  put("seed", state.seed, 0);
  put("opacity", state.opacity, DEFAULTS.opacity);
  put("squares", state.squares ? 1 : 0, 0);
  put("tour", state.tour, 0);
  if (state.view === "heads") {
    put("sort", state.sort, null);
    put("up", state.up ? 1 : 0, 0);
    put("all", state.all ? 1 : 0, 0);
    put("knows", state.knows, null);
    put("find", state.find, "");
    put("only", state.only, null);
    put("least", state.least, null);
    put("most", state.most, null);
    put("x", state.x, null);
    put("y", state.y, null);
    put("maps", state.maps ? 1 : 0, 1);
  }
  put("embed", state.embed ? 1 : 0, 0);
  const text = query.toString();
  const below = { heads: state.head, reports: state.report }[state.view as string] ?? null;
  const view = below === null ? state.view : `${state.view}/${below}`;
  return `${BY_HASH ? "#/" : ""}${view}${text === "" ? "" : `?${text}`}`;
}

/** Where something of this page is: a bare `#name` would lead to the page's base. */
export const within = (name: string): string =>
  BY_HASH ? location.hash : `${location.pathname}${location.search}#${name}`;

const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};
let current: { address: string; state: ViewState } | undefined;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", tell);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("popstate", tell);
  };
}

function snapshot(): ViewState {
  const address = addressNow();
  if (current?.address !== address) current = { address, state: parseAddress(address) };
  return current.state;
}

/** Changes parts of the state; `replace`: without a step to go back to, for what is dragged. */
export type Navigate = (
  change: Partial<ViewState> | ((state: ViewState) => Partial<ViewState>),
  options?: { replace?: boolean },
) => void;

/** Goes to a state, relative to where the page is. */
export const navigate: Navigate = (change, { replace = false } = {}) => {
  const state = snapshot();
  const address = formatAddress({ ...state, ...(typeof change === "function" ? change(state) : change) });
  if (
    new URL(address, document.baseURI).href === (BY_HASH ? location.href : location.href.replace(/#.*/, ""))
  )
    return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  tell();
};

/** The state in the address, and how to change it. */
export function useViewState(): [ViewState, Navigate] {
  const state = useSyncExternalStore(subscribe, snapshot);
  return [state, useCallback(navigate, [])];
}
