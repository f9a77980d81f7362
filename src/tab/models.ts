import { findWebModel, type WebModelPlace } from "../hub/web-place.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { type FetchState, keptBytes } from "../support/kept-bytes.ts";
import {
  memoryFolder,
  type PrivateFolder,
  privateBytes,
  readPrivate,
  writePrivate,
} from "../support/private-files.ts";
import type { WebBytes } from "../support/web-bytes.ts";
import { pastCache, type WebParts, webParts } from "../support/web-parts.ts";

/** What the page knows of models that it does not come with. */
export interface FetchSettings {
  /** The hub's address, without a slash at the end. */
  readonly hub: string;
  /** Origins beside the page's own that may be asked, as a content security policy names them. */
  readonly hosts: readonly string[];
  /** Where the page lies. */
  readonly base: string;
}

/** How far it is with what is fetched. */
export interface Fetching {
  readonly model: string;
  readonly file: string;
  readonly done: number;
  readonly total: number;
  readonly state: FetchState;
}

/** Models that stay in this browser. */
export interface KeptModels {
  readonly models: readonly { readonly name: string; readonly from: string; readonly bytes: number }[];
  /** False where the browser keeps no files: models are then in memory, until the page is closed. */
  readonly isLasting: boolean;
  /** Bytes that the browser gives this page, for all that it keeps; null where it does not say. */
  readonly room: number | null;
  /** Bytes of it that are taken. */
  readonly taken: number | null;
}

/** Where a model's files are, to be opened. */
export interface FetchedModel {
  /** The address of its folder. */
  readonly folder: string;
  readonly files: WebBytes;
}

/** Models that a page fetches from elsewhere and keeps. */
export interface TabModels {
  /** Reads what was typed, and may fetch it from now on. @returns what it is called @throws `MODEL_NOT_FOUND`, `ADDRESS_NOT_ALLOWED` */
  allow(typed: string): Promise<string>;
  /** @throws `MODEL_NOT_KEPT` for one that was neither kept nor allowed; what requests throw */
  open(name: string): Promise<FetchedModel>;
  kept(): Promise<KeptModels>;
  /** Deletes what is kept of one. */
  forget(name: string): Promise<void>;
  /** Stops what is being fetched; the next question goes on. */
  stop(): void;
}

const ABOUT = "about.json";
/** Folders of this browser, and those in memory, are below one: it is the page's own. */
const ROOT = "clip-interpret models";

/**
 * Keeps models.
 * @param privateFolder the browser's private files, undefined where it has none
 */
export function createTabModels(
  { hub, hosts, base }: FetchSettings,
  {
    privateFolder,
    estimate,
    onFetching,
    fetch: ask,
  }: {
    readonly privateFolder: () => Promise<PrivateFolder | undefined>;
    readonly estimate: () => Promise<{ readonly usage?: number; readonly quota?: number }>;
    readonly onFetching: (fetching: Fetching) => void;
    readonly fetch?: typeof fetch;
  },
): TabModels {
  const allowed = new Set<string>();
  let isLasting = true;
  let found: Promise<PrivateFolder> | undefined;
  const root = () => {
    found ??= privateFolder()
      .catch(() => undefined)
      .then((folder) => {
        isLasting = folder !== undefined;
        return (folder ?? memoryFolder()).getDirectoryHandle(ROOT, { create: true });
      });
    return found;
  };
  let stopper = new AbortController();
  const fetchAllowed: typeof fetch = async (input, init) => {
    requireAllowed({ hosts, base }, String(input));
    return (ask ?? globalThis.fetch)(input, init);
  };
  const parts: WebParts = webParts({ fetch: pastCache(fetchAllowed), signal: () => stopper.signal });
  const placeOf = (name: string) => findWebModel(name, hub, base);
  const folderName = ({ name }: WebModelPlace) => `model-${sha256Of(name).slice(0, 24)}`;
  return {
    async allow(typed) {
      const place = placeOf(typed);
      requireAllowed({ hosts, base }, place.address);
      allowed.add(place.name);
      return place.name;
    },
    async open(asked) {
      const place = placeOf(asked);
      const { name } = place;
      const folders = await root();
      const before = await folders.getDirectoryHandle(folderName(place)).catch(() => undefined);
      const about = before && (await readPrivate(before, ABOUT));
      if (about === undefined && !allowed.has(name)) {
        const size = place.megabytes === null ? "" : `, of about ${place.megabytes} MB`;
        throw new ClipInterpretError("MODEL_NOT_KEPT", `${name}${size} is not in this browser yet`, {
          hint: `It can be fetched from ${place.from}: the parts that are needed, once. They stay in this browser until they are deleted.`,
        });
      }
      const address =
        about === undefined ? await place.folder(parts) : (JSON.parse(about) as { folder: string }).folder;
      const folder = await folders.getDirectoryHandle(folderName(place), { create: true });
      const files = keptBytes({
        folder,
        parts,
        list: (of) => place.list(parts, of),
        onProgress: (file, done, total, state) => onFetching({ model: name, file, done, total, state }),
      });
      // Known from the next visit on once it is known to be a model's.
      await files.names(address);
      if (about === undefined)
        await writePrivate(folder, ABOUT, JSON.stringify({ name, from: place.from, folder: address }));
      return { folder: address, files };
    },
    async kept() {
      const models: KeptModels["models"][number][] = [];
      for await (const entry of (await root()).values()) {
        if (entry.kind !== "directory") continue;
        const about = await readPrivate(entry, ABOUT);
        if (about === undefined) continue;
        const { name, from } = JSON.parse(about) as { name: string; from: string };
        models.push({ name, from, bytes: await privateBytes(entry) });
      }
      const { quota = null, usage = null } = await estimate().catch(
        () => ({}) as { quota?: number; usage?: number },
      );
      models.sort((a, b) => a.name.localeCompare(b.name));
      return { models, isLasting, room: quota, taken: usage };
    },
    async forget(name) {
      allowed.delete(name);
      await (await root()).removeEntry(folderName(placeOf(name)), { recursive: true }).catch(() => {});
    },
    stop() {
      stopper.abort();
      stopper = new AbortController();
    },
  };
}

/** Whether a source of a content security policy, `https://*.example.org`, means an origin. */
function isHost(
  source: string,
  {
    origin,
    protocol,
    hostname,
  }: { readonly origin: string; readonly protocol: string; readonly hostname: string },
): boolean {
  const [, scheme, suffix] = /^(https?:)\/\/\*(\..+)$/.exec(source) ?? [];
  return suffix === undefined ? source === origin : scheme === protocol && hostname.endsWith(suffix);
}

/** Sees that a page may fetch from an address: from its own server, or one that its policy names. @throws `ADDRESS_NOT_ALLOWED` */
export function requireAllowed(
  { hosts, base }: Pick<FetchSettings, "hosts" | "base">,
  address: string,
): void {
  const { origin, protocol, hostname, host: asked } = new URL(address, base);
  if (origin === new URL(base).origin || hosts.some((host) => isHost(host, { origin, protocol, hostname })))
    return;
  const names = hosts.map((host) => host.replace(/^https?:\/\//, "")).join(", ");
  throw new ClipInterpretError(
    "ADDRESS_NOT_ALLOWED",
    `this page may not fetch from ${asked}: it may from its own server${names && `, ${names}`}`,
  );
}
