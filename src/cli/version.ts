export { VERSION } from "../support/version.ts";
