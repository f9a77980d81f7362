/** Figures of a process for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { VERSION } from "../support/version.ts";

/** A registry with what Node says of its process, and the version. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: "clip_interpret_info",
    help: "1, with the program's version",
    labelNames: ["version"],
    registers: [registry],
  });
  info.set({ version: VERSION }, 1);
  return registry;
}

/** Figures of a worker. Images per second is `rate(clip_interpret_images_total[1m])`. */
export function workerMetrics(registry: Registry) {
  const registers = [registry];
  const name = (text: string) => `clip_interpret_${text}`;
  return {
    images: new Counter({
      name: name("images_total"),
      help: "Images that were computed or rejected by this worker's processes",
      registers,
    }),
    parts: new Counter({
      name: name("parts_total"),
      help: "Parts by how they ended: done, failed, died, refused, stopped",
      labelNames: ["end"],
      registers,
    }),
    deaths: new Counter({
      name: name("deaths_total"),
      help: "Processes that died while they computed a part",
      registers,
    }),
    seconds: new Counter({
      name: name("busy_seconds_total"),
      help: "Seconds in which a part was computed",
      registers,
    }),
    busy: new Gauge({ name: name("busy"), help: "1 while a part is computed", registers }),
    redis: new Gauge({ name: name("redis_up"), help: "1 while Redis answers", registers }),
    queue: new Gauge({
      name: name("queue_parts"),
      help: "Parts in the queues by state: wait, active, failed",
      labelNames: ["state"],
      registers,
    }),
  };
}
export type WorkerMetrics = ReturnType<typeof workerMetrics>;
