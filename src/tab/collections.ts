/** All collections of a page, and what is asked of them. */
import { z } from "zod";
import type { GivenFile } from "../corpus/source-files.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Collection } from "./collection.ts";
import type { Question } from "./facts.ts";
import type { KeptFolders } from "./kept-folders.ts";

/** All of them, as questions name them. */
export interface Collections {
  list(): Promise<readonly Collection[]>;
  find(name: string): Promise<Collection | undefined>;
  /** Answers what is about folders alone; undefined for any other question. */
  answer(question: Question): Promise<unknown>;
}

/** A folder that a page is given: `POST /api/corpora` there. */
export interface GivenFolder {
  readonly title: string;
  readonly files: readonly GivenFile[];
  readonly model: string;
}

const prepareSchema = z.object({ kind: z.literal("prepare"), corpus: z.string(), model: z.string() });

/**
 * @param folders those that are kept
 * @param others what lies elsewhere
 */
export function createCollections(folders: KeptFolders, others: readonly Collection[]): Collections {
  const list = async () => [...others, ...(await folders.list())];
  return {
    list,
    find: async (name) =>
      others.find((one) => one.name === name) ??
      // Nothing is opened for what comes with the page.
      (name.startsWith("own-") ? (await folders.list()).find((one) => one.name === name) : undefined),
    async answer({ method, path, body }) {
      const [place = "", query = ""] = path.split("?");
      const [, , about = "", name = "", what] = place.split("/");
      switch (`${method} ${about}`) {
        case "POST corpora": {
          const { title, files, model } = body as GivenFolder;
          return folders.add(title, files, model);
        }
        case "DELETE corpora":
          return folders.remove(name);
        case "POST jobs": {
          const asked = prepareSchema.safeParse(body);
          return asked.success ? folders.prepare(asked.data.corpus, asked.data.model) : undefined;
        }
        case "DELETE jobs":
          return folders.stop(name) ?? gone(name);
        case "GET corpora":
          if (what !== "left-out") return undefined;
          return folders.leftOut(name, new URLSearchParams(query).get("model") ?? "");
        default:
          return undefined;
      }
    },
  };
}

const gone = (id: string): never => {
  throw new ClipInterpretError("NOT_FOUND", `no work ${id} is under way`);
};
