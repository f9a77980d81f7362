import { once } from "../../../src/support/shared.ts";
import type { Problem } from "../state/api.ts";
import type { GpuChoice } from "../state/client.ts";
import { store, stored } from "../state/stored.ts";

const KEY = "clip-interpret device";

/** As much of a browser's type as is used. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/**
 * The choice of this browser, with what the thread says of it.
 * @param tell the thread where models are computed from now on
 */
export function createGpuChoice(tell: (device: "cpu" | "webgpu") => Promise<unknown>): GpuChoice & {
  /** @param model of which it is said; null: of all */
  hear(model: string | null, problem: Problem): void;
} {
  let isOn = stored("localStorage", KEY) === "webgpu";
  let problems: ReadonlyMap<string | null, Problem> = new Map();
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const hear of listeners) hear();
  };
  return {
    offered: once(async () => {
      const { gpu } = navigator as { readonly gpu?: Gpu };
      return (await gpu?.requestAdapter().catch(() => null)) != null;
    }),
    isOn: () => isOn,
    async choose(on) {
      const device = on ? "webgpu" : "cpu";
      problems = new Map();
      await tell(device);
      store("localStorage", KEY, device);
      isOn = on;
      changed();
    },
    problem: (model) => problems.get(null) ?? problems.get(model),
    hear(model, problem) {
      problems = new Map(problems).set(model, problem);
      changed();
    },
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}
