import { basename, resolve } from "node:path";
import { disk } from "../support/disk-bytes.ts";
import { type Checkpoint, type CheckpointOptions, readCheckpoint } from "./read-checkpoint.ts";

/** {@link readCheckpoint} of a folder on this machine. @param name what to call it in messages; it decides nothing */
export const loadCheckpoint = (
  folder: string,
  name: string = basename(resolve(folder)),
  options: CheckpointOptions = {},
): Promise<Checkpoint> => readCheckpoint(disk, folder, name, options);
