/** `clip-interpret/views`: pictures of results, as SVG, as one HTML file, as PNG. */

// What pictures of images are made from.
export { displayPicture, type RgbPicture } from "../image/display.ts";
export { encodePng } from "../image/encode.ts";
export { type Thumbnail, thumbnail } from "../image/thumbnail.ts";
export { ablationHtml } from "../views/ablation/page.ts";
export { ablationSvg } from "../views/ablation/svg.ts";
export { compareHtml } from "../views/compare/page.ts";
export { compareSvg } from "../views/compare/svg.ts";
export type { ComparePictures } from "../views/compare/words.ts";
export { debiasHtml } from "../views/debias/page.ts";
export { debiasSvg } from "../views/debias/svg.ts";
export { explanationHtml } from "../views/explanation/page.ts";
export { type ExplanationPictures, explanationSvg } from "../views/explanation/svg.ts";
export { fineTuneHtml } from "../views/fine-tune/page.ts";
export { fineTuneSvg } from "../views/fine-tune/svg.ts";
export { fromWeightsHtml } from "../views/from-weights/page.ts";
export { fromWeightsSvg } from "../views/from-weights/svg.ts";
export { pixelSize } from "../views/kit/panel.ts";
export { svgToPng } from "../views/kit/png.ts";
export type { Picture } from "../views/kit/svg.ts";
export { neighborsHtml } from "../views/neighbors/page.ts";
export { neighborsSvg } from "../views/neighbors/svg.ts";
export type { NeighborsPictures } from "../views/neighbors/words.ts";
export { refereeMarkdown } from "../views/referee/markdown.ts";
export { refereeHtml } from "../views/referee/page.ts";
export { refereeSvg } from "../views/referee/svg.ts";
export { segmentationHtml } from "../views/segmentation/page.ts";
export { type SegmentationPictures, segmentationPictures } from "../views/segmentation/pictures.ts";
export { segmentationSvg } from "../views/segmentation/svg.ts";
export { selectivityHtml } from "../views/selectivity/page.ts";
export { selectivitySvg } from "../views/selectivity/svg.ts";
export { studyMarkdown } from "../views/study/markdown.ts";
export { studyHtml } from "../views/study/page.ts";
export { textspanHtml } from "../views/textspan/page.ts";
export { textspanSvg } from "../views/textspan/svg.ts";
