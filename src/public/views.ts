/** `clip-interpret/views`: pictures of results, as SVG, as one HTML file, as PNG. */
export { explanationHtml } from "../views/explanation/page.ts";
export { explanationSvg } from "../views/explanation/svg.ts";
export { svgToPng } from "../views/kit/png.ts";
