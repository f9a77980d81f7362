/**
 * Folders of src/ are layers, lowest first; an import may only point down (or stay inside its folder). What the package
 * exports, `index.ts` and `public/`, stands above all.
 * `npm run check` sees to it.
 */
const LAYERS = [
  "support",
  "math",
  "image",
  "text",
  "checkpoint",
  "onnx",
  "hub",
  "model",
  "world",
  "corpus",
  "labels",
  "results",
  "analysis",
  "labeling",
  "study",
  "referee",
  "views",
  "cluster",
  "server",
  "tab",
  "cli",
];

const pointsUp = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `${layer}-imports-down-only`,
  severity: "error",
  from: { path: `^src/${layer}/`, pathNot: "\\.test\\.ts$" },
  to: { path: `^src/(${LAYERS.slice(index + 1).join("|")}|index|public)(/|\\.)` },
}));

/** What may run in a browser too. */
const browserSafe = {
  name: "math-and-drawing-need-no-node",
  severity: "error",
  from: { path: "^src/(math/|views/)", pathNot: "(\\.test|\\.fixture|/png)\\.ts$" },
  to: { dependencyTypes: ["core", "npm"] },
};

/** What computes and what describes goes to a disk, a process or a thread through support/, by functions that say what for. */
const noNodeModule = {
  name: "what-computes-imports-no-node-module",
  severity: "error",
  from: { path: "^src/(model|analysis|results|views)/", pathNot: "\\.(test|fixture)\\.ts$" },
  to: { dependencyTypes: ["core"] },
};

/** A view takes results, and draws with the kit; the kit knows of no picture. */
const kitStandsBelow = {
  name: "the-kit-knows-no-picture",
  severity: "error",
  from: { path: "^src/views/kit/", pathNot: "\\.test\\.ts$" },
  to: { path: "^src/views/(?!kit/)" },
};
const viewsTakeResults = {
  name: "views-take-results",
  severity: "error",
  from: { path: "^src/views/", pathNot: "\\.test\\.ts$|/png\\.ts$" },
  to: { path: "^src/", pathNot: "^src/(views|results|math)/|^src/model/components\\.ts$" },
};

/** The web app is a face: it takes pictures and names from the layers that need no Node, and of results only types
 * and how neighbours are scored, which is a list of names. */
const webTakesLittle = {
  name: "the-web-app-needs-no-node",
  severity: "error",
  // The thread that answers in a page without a server is that page's server.
  from: { path: "^web/src/", pathNot: "^web/src/(tab/|embed/worker\\.ts$)" },
  to: {
    path: "^src/",
    pathNot: "^src/(math/|views/|model/components\\.ts$|results/scoring\\.ts$)",
    dependencyTypesNot: ["type-only"],
  },
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...pointsUp,
    browserSafe,
    noNodeModule,
    kitStandsBelow,
    viewsTakeResults,
    webTakesLittle,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans", severity: "error", from: { orphan: true, path: "^src/" }, to: {} },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  },
};
