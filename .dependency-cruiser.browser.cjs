/**
 * What a browser gets of the package: `npm run check` cruises from `src/public/browser.ts` and `src/tab/` with it, along imports that are
 * left once types are gone. Whatever of Node is reached from there has crept in behind a port.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    { name: "a-browser-has-no-node", severity: "error", from: {}, to: { dependencyTypes: ["core"] } },
    {
      name: "a-browser-gets-few-packages",
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: "node_modules",
        pathNot: "node_modules/(@huggingface/tokenizers|lru-cache|ml-matrix|zod)/",
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js"],
      conditionNames: ["browser", "import"],
      exportsFields: ["exports"],
    },
  },
};
