import { answerBy } from "../state/api.ts";
import { startTab } from "./client.ts";

// All are fetched at once; nothing is asked before something is drawn.
const [{ client, answered, warm }] = await Promise.all([
  startTab(),
  import("../app.tsx"),
  import("react-dom/client"),
]);
answerBy(client);
await import("../main.tsx");
// What is kept for the next visit must not be in the way of this one.
await answered;
await new Promise((rest) => setTimeout(rest, 1000));
await warm();
await navigator.serviceWorker?.register("keep.js").catch(() => {});
