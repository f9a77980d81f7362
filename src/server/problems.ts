import { ClipInterpretError, type ErrorCode } from "../support/errors.ts";

/** An error as a client sees it. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Statuses of codes; every other one is 400. 499 is what servers log when a client left. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  TOKEN_REQUIRED: 401,
  REQUEST_FORBIDDEN: 403,
  NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  CORPUS_NOT_READY: 409,
  CORPUS_FIXED: 409,
  IMAGE_GONE: 410,
  UPLOAD_TOO_LARGE: 413,
  IMAGE_TOO_LARGE: 413,
  IMAGE_UNREADABLE: 415,
  IMAGE_UNSUPPORTED: 415,
  CANCELLED: 499,
  INTERNAL: 500,
  INDEX_CORRUPT: 500,
  SUM_MISMATCH: 500,
  HUB_UNREACHABLE: 502,
  STORE_DENIED: 502,
  STORE_UNREACHABLE: 502,
  SERVER_BUSY: 503,
  THREAD_ENDED: 503,
  DISK_FULL: 507,
  INDEX_TOO_LARGE: 507,
};

export const statusOf = (code: ErrorCode): number => STATUS[code] ?? 400;

/** What a client may see: coded messages without folders of this machine; of anything else only that it happened. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof ClipInterpretError) || error.code === "INTERNAL") {
    const message = "something failed on the server that should not";
    return { code: "INTERNAL", message, hint: "Try again; the server's terminal says what happened." };
  }
  const { code, message, hint } = error;
  return { code, message: withoutFolders(message), hint: withoutFolders(hint) };
}

/** Absolute paths, of any system, and addresses in a store, down to their last part. */
export function withoutFolders(text: string): string {
  return text
    .replace(/(^|[\s"'`(=])(?:[A-Za-z]:)?[\\/](?:[^\s"'`:,;()]*[\\/])+/g, "$1…/")
    .replace(/\bs3:\/\/(?:[^\s"'`:,;()]*\/)*/gi, "s3://…/");
}
