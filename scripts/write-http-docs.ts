/** Writes docs/http.md from what a server says of its API. */
import { writeFileSync } from "node:fs";
import { apiDocument } from "./api-document.ts";
import { httpPage } from "./http-page.ts";

writeFileSync(new URL("../docs/http.md", import.meta.url), httpPage(await apiDocument()));
