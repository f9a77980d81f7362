import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { partialPath } from "../../src/hub/download.ts";
import { createPuller } from "../../src/hub/pull.ts";
import { PATIENCE } from "../../src/hub/retry.ts";
import { locateModel } from "../../src/model/registry.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { entry, sendFile } from "../support/hub-server.ts";
import {
  COMMIT,
  CONFIG,
  dropAt,
  FILES,
  failure,
  forWeights,
  HUB_ID,
  NAME,
  SERVED,
  SIZE,
  until,
  WEIGHTS,
  world,
} from "../support/hub-world.ts";

const HALF = 1_000_000;
const whole = async (path: string) => expect((await readFile(path)).equals(FILES[WEIGHTS])).toBe(true);

describe("a dropped connection", () => {
  it("costs no byte twice", async () => {
    const here = await world();
    const { hub, puller, weights } = here;
    hub.interfere = dropAt(here, HALF);
    const events: ProgressEvent[] = [];
    await puller.pull(NAME, { report: (event) => events.push(event) });
    await whole(weights);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
    const ranges = hub.seen.filter(({ host }) => host === "files").map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, `bytes=${HALF}-`]);
    const message = expect.stringMatching(/trying again in 0\.0 s/);
    expect(events).toContainEqual({ type: "warning", code: "HUB_UNREACHABLE", message });
  });

  it("may drop any number of times as long as something comes each time", async () => {
    const here = await world();
    const { hub, puller, weights } = here;
    const drops = Array.from({ length: 8 }, (_, i) => dropAt(here, (i + 1) * 200_000));
    hub.interfere = async (seen, response) => {
      for (const drop of drops) if (await drop(seen, response)) return true;
      return false;
    };
    await puller.pull(NAME);
    await whole(weights);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("is given up in the end, and another process goes on from there", async () => {
    const here = await world();
    const { hub, puller, env, weights } = here;
    hub.interfere = async (seen, response) =>
      (await first(seen, response)) ||
      (await forWeights((_, { socket }) => !!socket?.destroy())(seen, response));
    const first = dropAt(here, HALF);
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("HUB_UNREACHABLE"));
    expect((await stat(partialPath(weights))).size).toBe(HALF);
    await expect(locateModel(NAME, env)).rejects.toMatchObject(failure("MODEL_NOT_FOUND"));
    hub.interfere = () => false;
    expect((await createPuller(env).pull(NAME)).files).toHaveLength(3);
    await whole(weights);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("starts anew where the server knows no ranges, or gives another one", async () => {
    for (const status of [200, 206]) {
      const here = await world();
      const { hub, puller, weights } = here;
      const drop = dropAt(here, HALF);
      const odd = forWeights((seen, response) => {
        if (!seen.headers.range) return false;
        response.writeHead(status, status === 206 ? { "content-range": `bytes 5-${SIZE - 1}/${SIZE}` } : {});
        return !!response.end(status === 200 ? FILES[WEIGHTS] : FILES[WEIGHTS].subarray(5));
      });
      hub.interfere = async (seen, response) => (await drop(seen, response)) || odd(seen, response);
      await puller.pull(NAME);
      await whole(weights);
    }
  });

  it("is noticed when nothing comes and nothing ends", async () => {
    const { hub, puller, weights } = await world();
    hub.interfere = forWeights(() => true, 1);
    await puller.pull(NAME);
    await whole(weights);
  });
});

describe("what arrives is checked", () => {
  it("removes a file with another checksum, says so, and fetches it anew the next time", async () => {
    const { hub, puller, weights, env } = await world();
    const damaged = Buffer.from(FILES[WEIGHTS]);
    damaged[SIZE - 1] ^= 1;
    hub.interfere = forWeights((seen, response) => {
      sendFile(seen, response, damaged);
      return true;
    }, 1);
    const pulling = puller.pull(NAME);
    await expect(pulling).rejects.toMatchObject(
      failure("DOWNLOAD_CORRUPT", /open_clip_model.safetensors has the checksum/),
    );
    await expect(pulling).rejects.toMatchObject({ hint: expect.stringMatching(/Run the command again/) });
    expect([weights, partialPath(weights)].filter(existsSync)).toEqual([]);
    await expect(locateModel(NAME, env)).rejects.toMatchObject(failure("MODEL_NOT_FOUND"));
    await puller.pull(NAME);
    await whole(weights);
  });

  it("also a small file's, and what an earlier attempt left", async () => {
    const { hub, puller, weights } = await world();
    hub.interfere = (seen, response) => {
      if (!seen.path.includes(`/resolve/${COMMIT}/${CONFIG}`)) return false;
      sendFile(seen, response, Buffer.from(FILES[CONFIG].toString().replace("4", "5")));
      return true;
    };
    await expect(puller.pull(NAME)).rejects.toMatchObject(
      failure("DOWNLOAD_CORRUPT", /open_clip_config.json/),
    );
    hub.interfere = () => false;
    await writeFile(partialPath(weights), Buffer.alloc(HALF, 7));
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("DOWNLOAD_CORRUPT"));
    await writeFile(partialPath(weights), Buffer.alloc(SIZE + 1));
    await puller.pull(NAME);
    await whole(weights);
  });

  it("stops at the size that the hub says", async () => {
    const { hub, puller, weights } = await world();
    hub.interfere = forWeights((seen, response) => {
      sendFile(seen, response, Buffer.concat([FILES[WEIGHTS], FILES[WEIGHTS]]));
      return true;
    });
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("DOWNLOAD_CORRUPT", /longer than/));
    expect(existsSync(partialPath(weights))).toBe(false);
  });
});

describe("what the hub may answer", () => {
  const answer = (status: number, headers: Record<string, string> = {}, times = Infinity) => {
    let left = times;
    return (_: unknown, response: ServerResponse) =>
      left-- > 0 && !!response.writeHead(status, headers).end("no");
  };

  it.each([
    [401, "HUB_UNAUTHORIZED"],
    [403, "HUB_UNAUTHORIZED"],
    [404, "HUB_NOT_FOUND"],
    [418, "HUB_INVALID"],
  ])("%i is %s, at once", async (status, code) => {
    const { hub, puller } = await world();
    hub.interfere = answer(status);
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure(code, new RegExp(`answers ${status}`)));
    expect(hub.seen).toHaveLength(1);
  });

  it("429 is waited out as long as it asks, 503 with growing pauses", async () => {
    const { hub, puller } = await world();
    const [limited, busy] = [answer(429, { "retry-after": "1" }, 1), answer(503, {}, 2)];
    hub.interfere = (seen, response) => limited(seen, response) || busy(seen, response);
    const pauses: string[] = [];
    const began = Date.now();
    await puller.pull(NAME, {
      report: (event) => {
        if (event.type === "warning") pauses.push(/in (\S+) s$/.exec(event.message)![1]);
      },
    });
    expect(pauses).toEqual(["1.0", "0.0", "0.0"]);
    // A pause that is said is made.
    expect(Date.now() - began).toBeGreaterThan(900);
  });

  it("a pause too long to wait is said and not waited", async () => {
    const { hub, puller } = await world();
    for (const after of ["7200", new Date(Date.now() + 7_200_000).toUTCString()]) {
      hub.interfere = answer(429, { "retry-after": after });
      await expect(puller.pull(NAME)).rejects.toMatchObject(
        failure("HUB_RATE_LIMITED", /wait 7(200|19\d) s/),
      );
    }
    expect(hub.seen).toHaveLength(2);
  });

  it("nonsense is refused", async () => {
    const { hub, puller } = await world();
    hub.interfere = (_, response) => !!response.writeHead(200).end("<html>Sign in to this network</html>");
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("HUB_INVALID", /timm/));
  });

  it("an answer without end is cut off", async () => {
    const { hub, puller } = await world();
    hub.interfere = (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write(Buffer.alloc(1 << 20, " ")));
      };
      response.on("drain", more);
      more();
      return true;
    };
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("HUB_INVALID", /has no end/));
    expect(hub.seen).toHaveLength(1);
  });

  it("nobody there: an error without the model, a warning with it", async () => {
    const { env, puller } = await world();
    const hasty = { attempts: 2, pauseMs: 1, longestPauseMs: 100, silenceMs: 1000 };
    const away = createPuller({ ...env, HF_ENDPOINT: "http://127.0.0.1:9" }, hasty);
    await expect(away.pull(NAME)).rejects.toMatchObject(failure("HUB_UNREACHABLE", /127.0.0.1:9/));
    const { folder } = await puller.pull(NAME);
    const events: ProgressEvent[] = [];
    expect(await away.pull(NAME, { report: (event) => events.push(event) })).toMatchObject({
      folder,
      receivedBytes: 0,
    });
    const message = expect.stringContaining("in the cache is used");
    expect(events).toContainEqual({ type: "warning", code: "HUB_UNREACHABLE", message });
  });
});

describe("a hostile hub", () => {
  const file = (path: string) => ({ ...entry(SERVED, CONFIG), path });

  it.each(["../x", "..", "a/../../x", "C:x", "..\\x", "/etc/x", "a\u0000b", "notes: draft 2.md"])(
    "gets no file written that it names %j",
    async (name) => {
      const { hub, puller, home, snapshot } = await world();
      hub.listed.set(HUB_ID, [entry(SERVED, WEIGHTS), entry(SERVED, CONFIG), file(name)]);
      await puller.pull(NAME);
      expect((await readdir(snapshot)).sort()).toEqual([CONFIG, WEIGHTS, "tokenizer.json"]);
      expect(await readdir(home)).toEqual(["hub"]);
    },
  );

  it("may not name a blob, a commit or a part so either", async () => {
    const { hub, puller, home } = await world();
    hub.listed.set(HUB_ID, [entry(SERVED, WEIGHTS), { ...entry(SERVED, CONFIG), oid: "../../../x" }]);
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("HUB_INVALID", /oid/));
    const elsewhere = await world({ [HUB_ID]: { ...SERVED, commit: "../../../../x" } });
    await expect(elsewhere.puller.pull(NAME)).rejects.toMatchObject(failure("HUB_INVALID"));
    expect([...(await readdir(home)), ...(await readdir(elsewhere.home))]).toEqual([]);

    const index = Buffer.from(JSON.stringify({ weight_map: { a: "../../x.safetensors" } }));
    const config = Buffer.from(JSON.stringify({ model_type: "clip", vision_config: {}, text_config: {} }));
    const parts = {
      "config.json": config,
      "model.safetensors.index.json": index,
      "../../x.safetensors": config,
    };
    const third = await world({ [HUB_ID]: { commit: COMMIT, files: parts } });
    third.hub.listed.set(
      HUB_ID,
      Object.keys(parts)
        .slice(0, 2)
        .map((name) => entry({ commit: "", files: parts }, name)),
    );
    await expect(third.puller.pull(NAME)).rejects.toMatchObject(failure("HUB_INVALID", /outside its folder/));
  });

  it("gets no token on another host: neither by redirect nor by a link to the next page", async () => {
    const { hub, env, home } = await world();
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "token"), "an-old-kind-of-token\n");
    const elsewhere = await world();
    hub.interfere = (seen, response) => {
      if (!seen.path.includes("/tree/")) return false;
      const link = `<${elsewhere.hub.endpoint}${seen.path}>; rel="next"`;
      response.writeHead(200, { "content-type": "application/json", link });
      return !!response.end(JSON.stringify([entry(SERVED, CONFIG)]));
    };
    elsewhere.hub.interfere = (seen, response) =>
      seen.path.includes(COMMIT) && !!response.end(JSON.stringify([entry(SERVED, WEIGHTS)]));
    await createPuller(env)
      .pull(NAME)
      .catch(() => {});
    const tokens = (seen: typeof hub.seen, host: string) =>
      new Set(seen.filter((one) => one.host === host).map(({ headers }) => headers.authorization));
    expect(tokens(hub.seen, "hub")).toEqual(new Set(["Bearer an-old-kind-of-token"]));
    expect(tokens(hub.seen, "files")).toEqual(new Set([undefined]));
    expect(tokens(elsewhere.hub.seen, "hub")).toEqual(new Set([undefined]));
  });
});

describe("a full disk", () => {
  it("is noticed before anything large is fetched", async () => {
    const { hub, puller } = await world();
    const huge = { ...entry(SERVED, WEIGHTS), lfs: { oid: "0".repeat(64), size: 2 ** 50 } };
    hub.listed.set(HUB_ID, [entry(SERVED, CONFIG), huge]);
    await expect(puller.pull(NAME)).rejects.toMatchObject(
      failure("DISK_FULL", /needs 1125899\d+ bytes.* room for \d+/),
    );
    expect(hub.sent(WEIGHTS)).toBe(0);
  });

  // The kernel itself says ENOSPC to whoever writes to /dev/full.
  it.skipIf(!existsSync("/dev/full"))("is noticed while it fills up", async () => {
    const { puller, weights, repository } = await world();
    await mkdir(join(repository, "blobs"), { recursive: true });
    await symlink("/dev/full", partialPath(weights));
    await expect(puller.pull(NAME)).rejects.toMatchObject(
      failure("DISK_FULL", new RegExp(`${WEIGHTS}: needs ${SIZE} more bytes`)),
    );
    await rm(partialPath(weights));
    await puller.pull(NAME);
    await whole(weights);
  });
});

describe("a cache that cannot be written to", () => {
  it("is said to be so", async () => {
    const { env, home } = await world();
    await writeFile(join(home, "file"), "");
    const puller = createPuller({ ...env, HF_HUB_CACHE: join(home, "file", "hub") });
    await expect(puller.pull(NAME)).rejects.toMatchObject(failure("OUTPUT_UNWRITABLE", /file.hub: ENOTDIR/));
  });
});

describe("stopping", () => {
  /** Sends half of the weights and then nothing more. */
  const stall = forWeights((seen, response) => {
    sendFile(seen, response, FILES[WEIGHTS], undefined, HALF);
    return true;
  }, 1);

  it("keeps what came, and the next pull goes on from there", async () => {
    const { hub, puller, weights } = await world();
    hub.interfere = stall;
    const controller = new AbortController();
    const pulling = puller.pull(NAME, {
      signal: controller.signal,
      report: (event) => {
        if (event.type === "advance" && event.done === HALF) controller.abort();
      },
    });
    await expect(pulling).rejects.toMatchObject({
      ...failure("CANCELLED"),
      hint: expect.stringMatching(/go on/),
    });
    expect((await stat(partialPath(weights))).size).toBe(HALF);
    await puller.pull(NAME);
    await whole(weights);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
  });

  it("ends a pause, and does nothing where it came first", async () => {
    const { hub, puller, env } = await world();
    await expect(puller.pull(NAME, { signal: AbortSignal.abort() })).rejects.toMatchObject(
      failure("CANCELLED"),
    );
    expect(hub.seen).toEqual([]);
    // Ten minutes: nobody waits for the end of such a pause here.
    const patient = createPuller(env, { ...PATIENCE, longestPauseMs: 600_000 });
    hub.interfere = (_, response) => !!response.writeHead(429, { "retry-after": "600" }).end();
    const controller = new AbortController();
    const pulling = patient.pull(NAME, {
      signal: controller.signal,
      report: ({ type }) => {
        if (type === "warning") setTimeout(() => controller.abort(), 20);
      },
    });
    await expect(pulling).rejects.toMatchObject(failure("CANCELLED"));
    expect(hub.seen).toHaveLength(1);
  });
});

describe("concurrent callers", () => {
  it("of one puller share one download, hear its progress, and stop only together", async () => {
    const { hub, puller, weights } = await world();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    hub.interfere = forWeights(async () => {
      await held;
      return false;
    });
    const controller = new AbortController();
    const events: ProgressEvent[] = [];
    const first = puller.pull(NAME, { signal: controller.signal });
    await until(() => hub.seen.some(({ host }) => host === "files"));
    const second = puller.pull(HUB_ID, { report: (event) => events.push(event) });
    await until(() => events.length > 0);
    expect(events[0]).toMatchObject({ type: "start", total: SIZE });
    controller.abort();
    await expect(first).rejects.toMatchObject(failure("CANCELLED"));
    release();
    await second;
    await whole(weights);
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
    expect(events.at(-1)).toMatchObject({ type: "end" });
  });

  it("of several pullers wait for one another, as several processes do", async () => {
    const { hub, env } = await world();
    const pulled = await Promise.all([1, 2, 3].map(() => createPuller(env).pull(NAME)));
    expect(hub.sent(WEIGHTS)).toBe(SIZE);
    expect(pulled.filter(({ receivedBytes }) => receivedBytes > 0)).toHaveLength(1);
  });
});

describe("offline", () => {
  it("asks nobody, and uses what is there", async () => {
    const { hub, env, puller } = await world();
    const offline = createPuller({ ...env, HF_HUB_OFFLINE: "1" });
    await expect(offline.pull(NAME)).rejects.toMatchObject(failure("HUB_OFFLINE", /is not in/));
    expect(hub.seen).toEqual([]);
    await puller.pull(NAME);
    const asked = hub.seen.length;
    expect(await offline.pull(NAME)).toMatchObject({ receivedBytes: 0, commit: COMMIT });
    expect(hub.seen).toHaveLength(asked);
  });
});
