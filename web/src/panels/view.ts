import type { App, ModelDetail } from "../state/api.ts";
import type { Navigate, Settled } from "../state/url.ts";
import type { View } from "../state/views.ts";

/** What every view is given: what the address says, with its defaults looked up, and how to change it. */
export interface ViewProps {
  readonly state: Settled;
  readonly go: Navigate;
  readonly app: App;
  readonly model: ModelDetail;
  /** Looks at another picture: texts that were only its default's go with the old one. */
  readonly pick: (image: string, view?: View) => void;
  /** Whether the corpus of the address can be searched with this model. */
  readonly ready: boolean;
}
