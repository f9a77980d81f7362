import { FONT_FAMILY, TONES } from "./svg.ts";

/** Nothing may be fetched or run, whatever a text contains: the page is styles, SVG and the images inside it. */
export const PAGE_POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** In what the styles of one kind of page differ from those of another. */
interface Look {
  /** Classes of an SVG → their fill where the page is light, and where it is dark. */
  readonly fills: Readonly<Record<string, readonly [light: string, dark: string]>>;
  /** What lies between coloured cells where the page is dark. */
  readonly darkGap: string;
  /** More rules for the SVG, a line each. */
  readonly svg: string;
  /** Least width of the tables that are side by side. */
  readonly tableWidth: string;
  readonly tables: string;
}

const TABLE = "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }";

/** Pages with short tables of two columns, or with wide ones that may scroll. */
const LOOKS = {
  pairs: {
    fills: { track: ["#eef1f4", "#262c34"], bar: ["#8c959f", "#7d8894"], notice: ["#fff4d6", "#3d3214"] },
    darkGap: "#d7dce1",
    svg: "",
    tableWidth: "20rem",
    tables: `${TABLE}
caption { text-align: left; padding-bottom: .4rem; }
caption small, tfoot { color: var(--muted); }
th, td { padding: .15rem .5rem .15rem 0; border-bottom: 1px solid var(--line); font-weight: 400; text-align: left; }
th + td, th + th, td + td { text-align: right; padding-right: 0; }
details { margin-top: 2rem; } summary { cursor: pointer; }
pre { overflow: auto; max-height: 30rem; padding: 1rem; border: 1px solid var(--line); font-size: 12px; }`,
  },
  lists: {
    fills: { track: ["#e4e8ed", "#2b323b"], notice: ["#fff4d6", "#3d3214"] },
    darkGap: "#14181d",
    svg: "svg .edge { stroke: var(--ink); }\n",
    tableWidth: "28rem",
    tables: `${TABLE}
caption { text-align: left; padding-bottom: .4rem; font-weight: 600; }
th, td { padding: .15rem .8rem .15rem 0; border-bottom: 1px solid var(--line); font-weight: 400; text-align: left; vertical-align: top; }
thead th { color: var(--muted); } .n { text-align: right; white-space: nowrap; } .chance { color: var(--muted); }`,
  },
  report: {
    fills: {
      track: ["#eef1f4", "#262c34"],
      bar: ["#3b7dd8", "#6ea3ea"],
      good: ["#1a7f4b", "#4cc38a"],
      bad: ["#c2410c", "#f0883e"],
      notice: ["#fff4d6", "#3d3214"],
    },
    darkGap: "#14181d",
    svg: "svg .whisker { stroke: var(--ink); } svg .reference { stroke: var(--bad); } figure svg { min-width: 0; }\n",
    tableWidth: "28rem",
    tables: `h1 { position: static; width: auto; height: auto; overflow: visible; clip-path: none; font-size: 1.6rem; margin: 1.5rem 0 .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; } h4 { font-size: 1rem; margin: 0; }
p, li { max-width: 62rem; } small, .muted { color: var(--muted); } a { color: inherit; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; }
.notice { background: var(--notice); border-left: 4px solid #c98a00; padding: .6rem 1rem; max-width: 62rem; }
.wide + .wide { margin-top: 1.4rem; }
${TABLE}
table { width: auto; max-width: 100%; }
caption { text-align: left; padding-bottom: .4rem; font-weight: 600; }
th, td { padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); font-weight: 400; text-align: left; vertical-align: top; }
thead th { color: var(--muted); } .n { text-align: right; white-space: nowrap; } td small { white-space: nowrap; }
.heads { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); align-items: start; }
.head { border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; }
.head table { width: 100%; font-size: 13px; } .head p { margin: .2rem 0 .6rem; }
.yes { color: var(--good); } .no { color: var(--bad); }
.meter { display: inline-block; height: .6rem; background: var(--bar); vertical-align: middle; margin-right: .4rem; }
.thumbs { display: flex; flex-wrap: wrap; gap: 4px; margin-top: .5rem; } .thumbs img { display: block; border: 1px solid var(--line); }
code { font-size: .85em; overflow-wrap: anywhere; }`,
  },
} satisfies Record<string, Look>;

/** The classes of svg.ts, dark where the reader prefers that; coloured cells keep their colours. */
function styleOf({ fills, darkGap, svg, tableWidth, tables }: Look): string {
  const names = Object.keys(fills);
  const colours = (theme: 0 | 1) => names.map((name) => `--${name}: ${fills[name][theme]};`).join(" ");
  const rules = names.map((name) => `svg .${name} { fill: var(--${name}); }`).join(" ");
  return `
:root { color-scheme: light dark; --ink: ${TONES.ink}; --muted: ${TONES.muted}; --line: ${TONES.line};
  --paper: ${TONES.paper}; --gap: ${TONES.paper}; ${colours(0)} }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9aa5b1; --line: #3a424c;
  --paper: #14181d; --gap: ${darkGap}; ${colours(1)} } }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 96rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 ${FONT_FAMILY}; overflow-wrap: break-word; }
figure { margin: 0; overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; min-width: 60rem; }
svg .ink { fill: var(--ink); } svg .muted { fill: var(--muted); } svg .paper { fill: var(--paper); }
${rules}
svg .frame { stroke: var(--line); } svg .gap { stroke: var(--gap); } svg .tick { stroke: var(--muted); }
${svg}svg .pixels { image-rendering: pixelated; }
h1 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
h2 { font-size: 1.1rem; font-weight: 600; margin: 2rem 0 .5rem; }
.tables { display: grid; align-items: start; gap: 1.5rem 2.5rem; grid-template-columns: repeat(auto-fill, minmax(min(${tableWidth}, 100%), 1fr)); }
.tables > * { min-width: 0; } .wide { overflow-x: auto; }
${tables}
`;
}

/** A page around `body`, which is HTML as `title` is, with nothing that is not in it. */
export function htmlPage(title: string, body: string, look: keyof typeof LOOKS): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}">
<title>${title}</title>
<style>${styleOf(LOOKS[look])}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

/** An SVG document on a page; `label` is read to people who cannot see it. */
export function figure(svg: string, label: string): string {
  return `<figure role="group" tabindex="0" aria-label="${label}">
${svg}</figure>`;
}

/** All of a result under a page's pictures, to be opened. */
export const dataDetails = (data: unknown): string =>
  `<details><summary>All data as JSON</summary><pre tabindex="0">${escapeData(data)}</pre></details>`;

/** JSON for a `<pre>`: inert as HTML, and invisible characters, which could reorder the page, in JSON's own escapes. */
function escapeData(data: unknown): string {
  return JSON.stringify(data, null, 1)
    .replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    })
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}
