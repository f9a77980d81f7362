import { readdir } from "node:fs/promises";
import { readsTexts as hasTextTower } from "../checkpoint/model-config.ts";
import { SHARED_TOKENIZER } from "../text/load-tokenizer.ts";
import { type TokenizerSource, tokenizerFilesIn } from "../text/tokenizer-files.ts";
import { cacheOfFolder, findCachedFile } from "./cache.ts";
import { describeModel } from "./describe.ts";
import { chooseFiles, TOKENIZER_HOME } from "./model-files.ts";
import { sharesTokenizer, TOKENIZER, type TokenizerNeeds } from "./tokenizer-needs.ts";

/**
 * Where a model's tokenizer is: in its folder; else CLIP's own, from this package, for a model of its vocabulary, since
 * Python's open_clip fetches none; else, for a model in a hub's cache, what the same cache has of the repository that its
 * config names or that all CLIPs share. Undefined if it is nowhere: then the model's images alone can be used.
 */
export async function findTokenizer(needs: TokenizerNeeds): Promise<TokenizerSource | undefined> {
  const names = await readdir(needs.folder).catch((): string[] => []);
  const own = tokenizerFilesIn(needs.folder, new Set(names));
  if (own) return own;
  if (sharesTokenizer(needs)) return SHARED_TOKENIZER;
  const cache = cacheOfFolder(needs.folder);
  const path = cache && (await findCachedFile(cache, needs.tokenizerName ?? TOKENIZER_HOME, TOKENIZER));
  return path ? { kind: "json", path } : undefined;
}

/** True if texts can be read with a folder's model; of a config that cannot be read, nothing is said. */
export async function readsTexts(folder: string, name: string): Promise<boolean> {
  const files = chooseFiles(new Set(await readdir(folder)));
  const described = files && (await describeModel(folder, files, name).catch(() => undefined));
  if (!described) return true;
  const { config, tokenizerName } = described;
  if (!hasTextTower(config.text)) return false;
  const found = await findTokenizer({ folder, vocabSize: config.text.vocabSize, tokenizerName });
  return found !== undefined;
}
