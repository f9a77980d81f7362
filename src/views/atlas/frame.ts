import { type AnyOrigin, originInWords } from "../kit/origin.ts";
import { FONT_FAMILY, TONES } from "../kit/svg.ts";
import { escapeXml } from "../kit/text.ts";

/** What a page of a folder needs to be whole. */
export interface PageParts {
  readonly title: string;
  readonly body: string;
  readonly script: string;
  /** SHA-256 of the script in base64: nothing else on the page may run. */
  readonly scriptHash: string;
  readonly origin: AnyOrigin;
}

/** Pictures lie beside the page; on a disk that is no origin of its own. */
const policy = (hash: string) =>
  `default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;

const STYLE = `
:root { color-scheme: light dark; --ink: ${TONES.ink}; --muted: ${TONES.muted}; --line: ${TONES.line}; --paper: ${TONES.paper};
  --card: #f6f8fa; --accent: #0b62b8; --gap: ${TONES.paper}; --track: #e4e8ed; --notice: #fff4d6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9aa5b1; --line: #3a424c; --paper: #14181d;
  --card: #1b2128; --accent: #6cb2f2; --gap: #14181d; --track: #2b323b; --notice: #3d3214; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1rem 4rem; max-width: 84rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 ${FONT_FAMILY}; overflow-wrap: break-word; font-variant-numeric: tabular-nums; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 1.2rem 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .3rem; }
h3 { font-size: 1rem; margin: 0 0 .35rem; } p { margin: .3rem 0; max-width: 62rem; } .muted, small { color: var(--muted); }
svg { display: block; max-width: 100%; height: auto; }
svg .ink { fill: var(--ink); } svg .muted { fill: var(--muted); } svg .paper { fill: var(--paper); } svg .track { fill: var(--track); }
svg .frame { stroke: var(--line); } svg .gap { stroke: var(--gap); } svg .tick { stroke: var(--muted); } svg .edge { stroke: var(--ink); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; align-items: baseline; padding: .7rem 0; border-bottom: 1px solid var(--line);
  position: sticky; top: 0; background: var(--paper); z-index: 2; } nav .end { margin-left: auto; }
.notice { margin: 1rem 0; background: var(--notice); border-left: 4px solid #c98a00; padding: .5rem .9rem; border-radius: 4px; }
.label { display: inline-block; background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: .05rem .7rem;
  font-size: .95rem; font-weight: 600; vertical-align: .15em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1rem 0 0; padding: 0; }
.facts div { background: var(--card); border-radius: 8px; padding: .5rem .75rem; }
.facts dt { color: var(--muted); font-size: .8rem; } .facts dd { margin: 0; font-size: 1.12rem; font-weight: 600; }
.facts dd small { font-weight: 400; font-size: .8rem; display: block; line-height: 1.3; }
.thumbs { display: grid; gap: 4px; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); margin: 0; padding: 0; list-style: none; }
.thumbs figure { margin: 0; min-width: 0; } .frame-of { position: relative; aspect-ratio: 1; background: var(--card); border-radius: 4px; overflow: hidden; }
.thumbs img, .thumbs canvas { display: block; width: 100%; height: 100%; object-fit: cover; }
.thumbs canvas { position: absolute; inset: 0; opacity: 0; } .maps .thumbs canvas, .frame-of:hover canvas { opacity: 1; }
.frame-of.none { border: 1px dashed var(--line); }
figcaption { font-size: .68rem; line-height: 1.3; color: var(--muted); text-align: center; }
.groups { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); margin-top: .7rem; }
.common { font-size: .85rem; margin: .2rem 0 .3rem; } .ends .common { margin: .35rem 0 0; }
.beside { display: grid; gap: .9rem 1.2rem; grid-template-columns: minmax(0, 1fr) 15rem; align-items: start; margin-top: .9rem; }
.beside .direction { margin-top: 0; } .look { background: var(--card); border-radius: 10px; padding: .7rem .8rem; } .look p { font-size: .85rem; }
.group, .direction { background: var(--card); border-radius: 10px; padding: .7rem .8rem; min-width: 0; }
.group .thumbs { grid-template-columns: repeat(4, 1fr); } .group p { font-size: .85rem; }
.direction { margin-top: .9rem; display: grid; gap: .5rem 1.5rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.direction > h3, .direction > .across { grid-column: 1 / -1; } .direction > * { min-width: 0; }
.ends h4, .across h4 { margin: .4rem 0 .15rem; font-size: .82rem; font-weight: 600; color: var(--muted); }
.ends .thumbs { grid-template-rows: repeat(2, auto); grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); grid-template-columns: none; }
.deciles { display: grid; grid-template-columns: repeat(10, minmax(0, 1fr)); gap: 4px; max-width: 52rem; }
.deciles .thumbs { grid-template-columns: 1fr; } .deciles p { font-size: .68rem; text-align: center; color: var(--muted); margin: 0 0 2px; }
.pair { display: grid; gap: 1rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); align-items: start; }
.pair > * { min-width: 0; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--muted); padding-bottom: .3rem; }
th, td { text-align: left; font-weight: 400; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--muted); } .n { text-align: right; white-space: nowrap; } td.n, th.n { padding-left: .4rem; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: end; margin: .9rem 0; padding: .7rem .9rem; background: var(--card); border-radius: 10px; }
.controls label { font-size: .82rem; color: var(--muted); display: grid; gap: .15rem; } .controls .check { display: flex; gap: .4rem; align-items: center; min-height: 2.2rem; }
input, select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .5rem; min-height: 2.2rem; max-width: 100%; }
input[type=number] { width: 5.5rem; } input[type=checkbox] { min-height: 0; width: 1.1rem; height: 1.1rem; }
#heads { list-style: none; margin: 0; padding: 0; display: grid; gap: .7rem; }
#heads > li { background: var(--card); border-radius: 10px; padding: .7rem .9rem; display: grid; gap: .4rem 1.4rem; align-items: start;
  grid-template-columns: minmax(5.5rem, 8rem) minmax(15rem, 1.1fr) minmax(13rem, 1fr) minmax(15rem, 1.6fr); }
#heads > li[hidden] { display: none; } #heads h3 a { font-size: 1.1rem; font-weight: 600; } #heads .thumbs { grid-template-columns: repeat(8, 1fr); }
#heads p { margin: 0 0 .2rem; font-size: .85rem; } #heads ol { margin: 0; padding-left: 1.2rem; font-size: .85rem; line-height: 1.4; } #heads dl { margin: 0; display: grid; grid-template-columns: 1fr auto; font-size: .82rem; gap: 0 .6rem; }
#heads dt { color: var(--muted); } #heads dd { margin: 0; text-align: right; }
.faint { opacity: .15; } a:focus-visible circle { stroke: var(--ink); }
@media (max-width: 62rem) { #heads > li { grid-template-columns: 1fr 1fr; } .direction, .beside { grid-template-columns: minmax(0, 1fr); } }
.plot { overflow-x: auto; } .plot svg { min-width: 34rem; }
@media (max-width: 40rem) { main { display: flex; flex-direction: column; } main > .pair:has(.notes) { display: contents; } .notes { order: 1; } #heads > li { grid-template-columns: 1fr; } h1 { font-size: 1.4rem; }
  .deciles { grid-template-columns: repeat(5, minmax(0, 1fr)); } nav .end { margin-left: 0; } }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .6rem; color: var(--muted); font-size: .8rem; overflow-wrap: anywhere; }
`;

/** A page of an atlas on disk: nothing is fetched but pictures beside it. */
export function atlasPage({ title, body, script, scriptHash, origin }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(scriptHash)}">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
<footer>${escapeXml(originInWords(origin))}</footer>
<script>${script}</script>
</body>
</html>
`;
}
