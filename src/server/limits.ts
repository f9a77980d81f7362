import { totalmem } from "node:os";

/** What one server will hold and take. Everything a client can make grow is bounded here. */
export interface Limits {
  /** Bytes of one upload. */
  readonly uploadBytes: number;
  /** Bytes of uploads that are received and decoded at a time; who comes then is asked to wait. */
  readonly uploadsBytes: number;
  /** Pixels of one image; more are refused before any is decoded. */
  readonly pixels: number;
  /** Pictures that are read and drawn at a time; the others wait. */
  readonly picturesAtOnce: number;
  /** Bytes of a JSON request. */
  readonly requestBytes: number;
  /** Bytes and number of uploaded images kept on disk; the least recently used go. */
  readonly keptBytes: number;
  readonly keptImages: number;
  /** Bytes of decompositions, with every head's tokens, kept in memory. */
  readonly lookBytes: number;
  /** Bytes of text embeddings kept in memory. */
  readonly textBytes: number;
  /** Bytes of weights that models hold in memory; the least recently used are unloaded. */
  readonly modelBytes: number;
  /** Requests that may wait for the models, in all and of one client. */
  readonly waiting: number;
  readonly waitingPerClient: number;
  /** Jobs that may wait or run, in all and of one client. */
  readonly jobs: number;
  readonly jobsPerClient: number;
  /** Pages that may listen to jobs at once. */
  readonly listeners: number;
}

/** Bounds that suit one machine and a handful of people. */
export const LIMITS: Limits = {
  uploadBytes: 25e6,
  uploadsBytes: 100e6,
  pixels: 60e6,
  picturesAtOnce: 8,
  requestBytes: 64e3,
  keptBytes: 500e6,
  keptImages: 1000,
  lookBytes: 512e6,
  textBytes: 64e6,
  modelBytes: Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()) / 2,
  waiting: 512,
  waitingPerClient: 64,
  jobs: 64,
  jobsPerClient: 16,
  listeners: 256,
};
