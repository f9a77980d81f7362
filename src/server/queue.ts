import { ClipInterpretError } from "../support/errors.ts";
import type { Limits } from "./limits.ts";

/**
 * Runs work one piece at a time, taking turns among clients: one that asks for a hundred things delays another by one
 * of them. The models use every core for one piece already, so more at once would only make each later.
 */
export interface FairQueue {
  /**
   * @param client whose turn it counts as
   * @param signal takes the work out again while it waits
   * @throws `CANCELLED`; `SERVER_BUSY` when too much waits
   */
  run<T>(client: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly start: () => void;
}

/** Makes a queue. */
export function createFairQueue({ waiting: most, waitingPerClient }: Limits): FairQueue {
  // In the order of their turns: a client that was served goes to the end.
  const clients = new Map<string, Waiting[]>();
  let waiting = 0;
  let busy = false;

  const next = () => {
    if (busy) return;
    const turn = clients.entries().next();
    if (turn.done) return;
    const [client, line] = turn.value;
    const first = line.shift()!;
    clients.delete(client);
    if (line.length > 0) clients.set(client, line);
    waiting--;
    busy = true;
    first.start();
  };
  const remove = (client: string, entry: Waiting) => {
    const line = clients.get(client) ?? [];
    const place = line.indexOf(entry);
    if (place < 0) return false;
    line.splice(place, 1);
    if (line.length === 0) clients.delete(client);
    waiting--;
    return true;
  };

  return {
    run: (client, signal, work) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(left());
        const line = clients.get(client) ?? [];
        if (waiting >= most || line.length >= waitingPerClient) {
          return reject(new ClipInterpretError("SERVER_BUSY", `${waiting} requests are waiting already`));
        }
        const leave = () => {
          if (remove(client, entry)) reject(left());
        };
        const entry: Waiting = {
          start: () => {
            signal.removeEventListener("abort", leave);
            work()
              .then(resolve, reject)
              .finally(() => {
                busy = false;
                next();
              });
          },
        };
        signal.addEventListener("abort", leave, { once: true });
        line.push(entry);
        clients.set(client, line);
        waiting++;
        next();
      }),
  };
}

const left = () => new ClipInterpretError("CANCELLED", "the client left before its turn came");
