import { answerBy } from "../state/api.ts";
import { startTab } from "./client.ts";

const { client, answered } = await startTab();
answerBy(client);
await import("../main.tsx");
// What is kept for the next visit must not be in the way of this one.
await answered;
await new Promise((rest) => setTimeout(rest, 1000));
await navigator.serviceWorker?.register("keep.js").catch(() => {});
