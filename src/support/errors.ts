/**
 * Every error a user can meet, in one place: a stable code, what it means and what to do about it.
 * `docs/errors.md` is written from this table (`npm run docs:errors`) and a test keeps the two equal.
 *
 * Building a `ClipInterpretError` declares its message safe to show; anything else that escapes is a
 * fault of ours (`INTERNAL`, exit code 2).
 */
export const ERRORS = {
  USAGE: {
    means: "The command line was not understood.",
    hint: "Run the command with --help to see its options.",
  },
  INPUT_NOT_FOUND: {
    means: "A file or folder that was named does not exist.",
    hint: "Check the path; relative paths start at the folder the command is run in.",
  },
  INPUT_UNREADABLE: {
    means: "A file exists but could not be read.",
    hint: "Check that it is a file and that you may read it.",
  },
  OUTPUT_UNWRITABLE: {
    means: "A result could not be written.",
    hint: "Check that the folder exists, may be written to and has space left.",
  },
  IMAGE_UNREADABLE: {
    means: "The file is not an image that can be decoded: damaged, cut off, empty or another kind of file.",
    hint: "Open it in an image viewer; save it again as PNG or JPEG.",
  },
  IMAGE_UNSUPPORTED: {
    means: "The file is a picture, in a format that is not read.",
    hint: "Convert it to PNG or JPEG in an image viewer, or with ImageMagick: magick FILE picture.png",
  },
  IMAGE_TOO_LARGE: {
    means: "The image has more pixels than the limit, which guards against decompression bombs.",
    hint: "Make it smaller first; commands take more with --max-pixels.",
  },
  ARCHIVE_DAMAGED: {
    means:
      "An archive or table of images cannot be read, or not to its end; what comes before the damage is taken.",
    hint: "Fetch or write it again; the message says where it stops making sense. A compressed archive has to be unpacked: gunzip it.",
  },
  URL_REFUSED: {
    means:
      "An address in a table of images is not fetched: it is no http(s) address, or one of a private network.",
    hint: "Set CLIP_INTERPRET_PRIVATE_URLS=1 if the table is your own and its pictures lie in your network.",
  },
  IMAGE_FATAL: {
    means: "The process died four times while it had the image in hand, the last three times it alone.",
    hint: "Look at the file with another program before you trust it. To try it again, save it anew, or remove it and its row with --prune.",
  },
  IMAGE_REPEATED: {
    means: "A list names an image more than once; it is taken once (a warning).",
    hint: "Take it out of the list, or leave it as it is.",
  },
  IMAGE_DARK: {
    means:
      "A picture's 16-bit samples use 12 bits or fewer, as those of some cameras and scanners do, so that the model is shown it all but black (a warning).",
    hint: "Scale its samples to the full range of 16 bits, or save it with 8.",
  },
  NPY_INVALID: {
    means: "The file is not a NumPy .npy array of the kind and shape needed here.",
    hint: "Save it with numpy.save as little-endian float32 in C order, in the shape the message names.",
  },
  JSON_INVALID: {
    means: "A JSON file could not be parsed or does not have the fields needed.",
    hint: "Compare it with the format that the message names.",
  },
  TEXTS_EMPTY: {
    means: "No text was given where at least one is needed.",
    hint: "Give --text once or more, or a file with at least one text.",
  },
  TEXTS_UNSUPPORTED: {
    means: "The model's text tower is of a kind that is not computed here; its images can be used.",
    hint: "Ask what needs no text: decompose, index, neighbors --image, similar; or use a CLIP whose text tower loads (docs/models.md).",
  },
  TEXT_TRUNCATED: {
    means: "A text has more tokens than the model reads; the rest was cut off (a warning).",
    hint: "Use a shorter text if the end matters.",
  },
  TEXT_REPEATED: {
    means: "A text stands in a file more than once; it is used once (a warning).",
    hint: "Take it out of the file, or leave it as it is.",
  },
  POOL_INVALID: {
    means: "A file of texts is of another kind, or a line of it cannot be read.",
    hint: "Give a .txt (one text a line), a .jsonl (a text and its property a line) or a .csv with a text column, in UTF-8.",
  },
  CACHE_DAMAGED: {
    means: "A file of this program's cache is damaged; what it held is made anew (a warning).",
    hint: "Nothing needs to be done; if it happens again, check the disk.",
  },
  LAYOUT_SAMPLED: {
    means:
      "A layout was asked of more images than are laid out; some, spread evenly, have a place (a warning).",
    hint: "Nothing needs to be done; for places of all, lay the exported vectors out with another program.",
  },
  RANK_CLAMPED: {
    means:
      "TEXTSPAN was asked to use more directions than the contributions fill; the others are rounding noise and are left out (a warning).",
    hint: "Ask for at most the rank that the message names, or leave --rank out.",
  },
  TOKENIZER_INVALID: {
    means: "The tokenizer file is damaged or does not fit the model.",
    hint: "Fetch tokenizer.json again; every OpenAI and LAION CLIP uses that of openai/clip-vit-base-patch32.",
  },
  MODEL_NOT_FOUND: {
    means: "The model is neither embedded, nor in the hub's cache, nor a folder with a checkpoint.",
    hint: "`clip-interpret models` lists what there is; a folder must hold weights and a config.",
  },
  MODEL_UNSUPPORTED: {
    means: "The checkpoint is not a CLIP ViT that can be decomposed exactly.",
    hint: "docs/models.md lists which models load, and why others do not.",
  },
  CONFIG_INVALID: {
    means: "The model's config is damaged, incomplete or contradicts itself.",
    hint: "Fetch the config again; the message names the field.",
  },
  CHECKPOINT_INVALID: {
    means:
      "The weights file is damaged or was cut off, or holds NaN or infinities, or is a pointer that git-lfs left.",
    hint: "Fetch the file again and compare its size with the original's.",
  },
  CHECKPOINT_CHANGED: {
    means: "The weights on disk changed while the model was in use; parts of two models do not add up.",
    hint: "Leave the model's files alone while it works, and run the command again; what is stored is kept.",
  },
  CHECKPOINT_MISMATCH: {
    means: "A tensor is missing from the weights or has another shape or type than the config says.",
    hint: "Check that config and weights belong together; the message names the tensor.",
  },
  PIXELS_MISMATCH: {
    means: "A pixel array does not have the shape that the model reads.",
    hint: "Give [n, 3, size, size] with the model's image size, normalised as its config says.",
  },
  HEADS_INVALID: {
    means: "A head or component set was not understood or names heads the model does not have.",
    hint: "Write heads as L3.H1, layers as L3, ranges as L2-L3, or last4, all, embed, L3.MLP, with weights as L3.H1*0.5, or by a property that --labels or published labels name; where something is taken away also directions, L3.H1@2.",
  },
  SUM_MISMATCH: {
    means: "The parts of a decomposition do not add up to the embedding within the tolerance.",
    hint: "This should not happen; please report it with the model's name. The numbers must not be used.",
  },
  VERIFY_FAILED: {
    means: "`verify` found that a model's numbers must not be used; what it found stands above.",
    hint: "Fetch the model again; if it fails again, please report it with the model's name.",
  },
  RUNTIME_MISSING: {
    means:
      "A library for this platform, ONNX Runtime's or sharp's, is not installed or does not load, or there is none.",
    hint: "Install the package again, with its optional dependencies: npm install --include=optional",
  },
  DEVICE_UNAVAILABLE: {
    means:
      "The device asked for is not in this platform's build of ONNX Runtime, or does not start. A browser's GPU may also be lost later.",
    hint: "Leave --device out to run on the CPU, or install what the message names.",
  },
  DEVICE_DIFFERS: {
    means: "The browser's GPU does not compute what WebAssembly does: its numbers are not shown.",
    hint: "There is nothing to do: WebAssembly computes instead. A newer browser or graphics driver may compute rightly.",
  },
  CERTIFICATE_UNTRUSTED: {
    means:
      "A server's certificate is not accepted: signed by nobody this machine knows, expired, or for another host.",
    hint: "Where a proxy or firewall signs connections itself, set NODE_EXTRA_CA_CERTS to a PEM file with its certificate; else check the address and the clock.",
  },
  PROXY_FAILED: {
    means: "The proxy that HTTPS_PROXY or HTTP_PROXY names cannot be reached, or refuses.",
    hint: "Check the variable, with name and password as http://name:password@host:port; NO_PROXY lists hosts to reach without it.",
  },
  SERVER_UNREACHABLE: {
    means: "A web server that a model or an index is read from in a browser does not answer.",
    hint: "Check the address and the connection; a model that was opened before works without one, as far as it was fetched.",
  },
  CORS_REFUSED: {
    means: "A web server does not let pages of other sites read its files (CORS).",
    hint: "Whoever runs the server lets it send Access-Control-Allow-Origin, and Access-Control-Expose-Headers: Content-Range, ETag. Or put the files beside the page.",
  },
  RANGES_REFUSED: {
    means: "A web server does not send parts of files (HTTP ranges), in which models are read in a browser.",
    hint: "Use another server: nearly all do, such as nginx, Caddy, S3 and the Hugging Face Hub; Python's http.server does not.",
  },
  ADDRESS_NOT_ALLOWED: {
    means:
      "A page without a server may fetch from its own server and those that its policy names, and from no other.",
    hint: "Whoever hosts the page builds it with --connect and the server's address (docs/browser.md).",
  },
  MODEL_NOT_KEPT: {
    means: "A page without a server was asked for a model that was not fetched into this browser.",
    hint: "Fetch it: it stays in this browser until it is deleted there.",
  },
  HUB_UNREACHABLE: {
    means: "The hub did not answer, or the connection broke off too often.",
    hint: "Check the connection and HF_ENDPOINT, and run the command again: it goes on where it stopped.",
  },
  HUB_UNAUTHORIZED: {
    means: "The hub does not let this account see the repository: private, gated, or it does not exist.",
    hint: "Check the name; accept the model's terms on its page; set HF_TOKEN to a token that may read it.",
  },
  HUB_NOT_FOUND: {
    means: "The hub has no such repository or file.",
    hint: "Check the name; `clip-interpret models` lists those that are known to work.",
  },
  HUB_RATE_LIMITED: {
    means: "The hub has had too many requests from this address or account.",
    hint: "Wait as long as the message says and run the command again; with HF_TOKEN set the limits are higher.",
  },
  HUB_OFFLINE: {
    means: "The network would be needed, but HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids it.",
    hint: "Unset it, or bring the model into the cache on a machine that is online.",
  },
  HUB_INVALID: {
    means:
      "What the hub answered makes no sense or is not safe to use, such as a file name that leaves its folder.",
    hint: "Check HF_ENDPOINT; if it is right, report it to those who keep the repository.",
  },
  DOWNLOAD_CORRUPT: {
    means: "A downloaded file does not have the length or checksum that the hub says; it was removed.",
    hint: "Run the command again: the file is fetched from its beginning. If it happens again, a proxy may change it.",
  },
  CORPUS_MISMATCH: {
    means: "The folder for a generated corpus holds something else, which is left as it is.",
    hint: "Name another folder with --out, or empty this one first.",
  },
  DISK_FULL: {
    means: "There is not enough room on the disk.",
    hint: "Free space there, as much as the message says where it is known, or use another disk; what is complete is kept, and the same command goes on.",
  },
  LIST_INVALID: {
    means: "A list of images is damaged or does not have the columns needed.",
    hint: "A CSV needs a header with a `path` column; each line of a JSONL a `path`. Both may have a `label` and factors. A .txt has a path a line.",
  },
  NO_IMAGES: {
    means: "There is no image where images were to be indexed.",
    hint: "Name pictures, a folder of them, or a .txt, .csv or .jsonl list; --hidden takes hidden files too.",
  },
  FEW_IMAGES: {
    means:
      "There are too few images for an answer to mean anything (an error), or for it to mean much (a warning).",
    hint: "Index more images; a hundred or more let numbers be told from chance.",
  },
  SOURCE_GONE: {
    means:
      "The images cannot be reached any more, all at once: a drive or share that has dropped, or a folder that moved.",
    hint: "Bring it back and run the same command again: what is done is kept, and it goes on from there.",
  },
  IMAGES_UNREAD: {
    means: "Some files could not be reached or read; that says nothing about what they hold (a warning).",
    hint: "Run the `index` command again: it tries them anew each time.",
  },
  IMAGES_MISSING: {
    means: "Pictures of an index are not where it says, or not those that were indexed (a warning).",
    hint: "Say where they lie now with --root, or run `index` on that folder: it takes the new place after a check.",
  },
  INDEX_GONE: {
    means:
      "The folder of an index cannot be reached any more while it is written: a drive or share that has dropped.",
    hint: "Bring it back and run the same command again: what is stored is kept, and it goes on from there.",
  },
  INDEX_INVALID: {
    means: "The folder holds no index, or one whose manifest is damaged or newer than this program.",
    hint: "Check the path; `clip-interpret index INPUT --out INDEX` makes one.",
  },
  INDEX_MISMATCH: {
    means:
      "The index was made by another model, with other preprocessing, in another form or of other images.",
    hint: "Use what the message names, or make another index with another --out.",
  },
  INDEX_CHANGED: {
    means: "Another run wrote to an index before this one could; in a store, again and again.",
    hint: "Run the same command again: it goes on from what is there. Give each run a --part of its own to work side by side.",
  },
  STORE_DENIED: {
    means: "A store does not let these credentials do what was asked, or there are none.",
    hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; they need to read, write, list and delete below the address.",
  },
  STORE_UNREACHABLE: {
    means: "A store gives no answer, or fails again and again.",
    hint: "Check the address and AWS_ENDPOINT_URL, and run the same command again: what is stored is kept.",
  },
  PARTS_MISSING: {
    means: "Not all parts of an index are finished.",
    hint: "Run `index … --part K/N` for those that the message names; the last one puts all together.",
  },
  PARTS_FAILED: {
    means: "Workers could not compute some parts of an index, each of them tried three times.",
    hint: "Mend what the message says and run the same command again: finished parts are kept, those that failed are tried anew.",
  },
  QUEUE_UNREACHABLE: {
    means: "The queue's Redis does not answer.",
    hint: "Check the address and that Redis runs: `redis-cli -u URL ping`. What is computed is kept in the index, not in Redis.",
  },
  QUEUE_UNAUTHORIZED: {
    means: "The queue's Redis does not accept the name and password, or wants some.",
    hint: "Write them into the address, redis://name:password@host:6379, and give it in CLIP_INTERPRET_QUEUE, where `ps` does not show it.",
  },
  WORKER_REFUSED: {
    means:
      "A worker does not fit a run, and leaves its parts to others: another version, model, precision or device, or it does not reach images or index.",
    hint: "Start a worker as the message says; nothing of the run is lost.",
  },
  INDEX_CORRUPT: {
    means: "A part of the index is damaged or missing; the rest of it still works.",
    hint: "Run the `index` command again: it makes the damaged part anew.",
  },
  INDEX_TOO_LARGE: {
    means: "The images of an index do not fit into memory, and this analysis asks about all of them at once.",
    hint: "Give the process more memory (NODE_OPTIONS=--max-old-space-size=MEGABYTES), or index fewer images. `neighbors`, `textspan`, `similar`, `selectivity`, `explain`, `label` and `serve` read an index of any size.",
  },
  MASKS_INVALID: {
    means: "Masks do not fit their images, or hold something else than one known number a pixel.",
    hint: "Give each image a mask of its name and size: gray or palette PNG, 0 for none; name the values with --classes.",
  },
  FACTORS_MISSING: {
    means: "Nothing is known about the images of an index: no label, no factor.",
    hint: "Index class folders, or a CSV or JSONL list with a `label` or other columns, or the corpus of `demo`.",
  },
  IMAGES_DIFFER: {
    means: "Two indexes that were to be compared hold too few of the same images.",
    hint: "Index the same folder with both models: images are matched by their bytes, not by their names.",
  },
  MODELS_DIFFER: {
    means: "Two models that were to be compared weight by weight have other shapes.",
    hint: "Name a model and what it was fine-tuned from; models of other shapes are compared by `compare --index` twice.",
  },
  CLASSES_INVALID: {
    means: "A file of classes is damaged, or its classes do not fit the index or each other.",
    hint: "Give one name a line, or JSON as docs/ablation.md describes it; name the factor that says what images show.",
  },
  INDEX_OUTDATED: {
    means:
      "Files have changed or gone since they were indexed; the index still holds what they were (a warning).",
    hint: "Run the `index` command with --prune.",
  },
  HALF_OVERFLOW: {
    means: "A head's output is too large for float16.",
    hint: "Make the index with --dtype float32.",
  },
  TAGS_MISSING: {
    means: "Labels were to be made from the tags of a pool whose texts have none.",
    hint: 'Use a pool with properties (JSONL `{"text", "property"}`), or --labeller llm.',
  },
  LABELS_MISSING: {
    means:
      "There is no label for a model or for some of its heads (an error for the model, a warning for heads).",
    hint: "Label them with --labeller tags or llm, or by hand with --labels.",
  },
  LABELS_STALE: {
    means: "A label in a file was made from other descriptions than the head has now (a warning).",
    hint: "Look at the descriptions, or leave the head out of the file to have it labelled anew.",
  },
  LLM_UNREACHABLE: {
    means: "The language model's server did not answer, broke off, or is in trouble itself.",
    hint: "Check --llm-url and that the server runs; what was answered is kept, and the same command goes on.",
  },
  LLM_UNAUTHORIZED: {
    means: "The language model's server does not accept the key, or wants one.",
    hint: "Set CLIP_INTERPRET_LLM_KEY to a key for this server.",
  },
  LLM_MODEL_UNKNOWN: {
    means: "The language model's server has no such model, or nothing at this address.",
    hint: "Check --llm-model, and that --llm-url is the address below which /chat/completions lies, often ending in /v1.",
  },
  LLM_RATE_LIMITED: {
    means: "The language model's server keeps refusing: too many requests, or nothing left to spend.",
    hint: "Run the same command again later: it asks only for what is missing. --llm-rpm slows it down.",
  },
  LLM_TIMEOUT: {
    means: "The language model did not answer in time.",
    hint: "Give it longer with --llm-timeout, or ask less at once with --llm-concurrency 1.",
  },
  LLM_REJECTED: {
    means: "The language model's server does not take the request.",
    hint: "The message says what the server objects to; it must speak OpenAI's chat completions.",
  },
  LLM_REFUSED: {
    means: "The language model declined to answer.",
    hint: "Use another model, or label those heads by hand with --labels; what was answered is kept.",
  },
  LLM_ANSWER_INVALID: {
    means: "The language model's answer is empty, damaged, too long or not in the form asked for.",
    hint: "Use another model, or label those heads by hand with --labels; what was answered is kept.",
  },
  LLM_INCOMPLETE: {
    means: "With --keep-going, the language model gave no usable answer about some heads (a warning).",
    hint: "Run the same command again: it asks for what is missing; or label those heads by hand with --labels.",
  },
  REQUEST_INVALID: {
    means: "A request to the server was not understood.",
    hint: "Compare it with the description at /api/openapi.json.",
  },
  REQUEST_FORBIDDEN: {
    means: "A request names another host than this server's, or comes from a page of another site.",
    hint: "Open the address that `clip-interpret serve` printed. Behind a reverse proxy, whoever runs the server names the page's address with `--origin`: `serve --origin https://clip.example.org`.",
  },
  TOKEN_REQUIRED: {
    means: "The server asks for a token, and the request has none or a wrong one.",
    hint: "Open the address with ?token= as it was printed, or send the header `Authorization: Bearer …`.",
  },
  NOT_FOUND: {
    means: "The server has no such page, corpus, image or job.",
    hint: "Check the address; /api/openapi.json lists what there is.",
  },
  UPLOAD_TOO_LARGE: {
    means: "A request has more bytes than the server takes.",
    hint: "Save the picture smaller, or as JPEG.",
  },
  CORPUS_FIXED: {
    means: "A collection of pictures that was not added in the page cannot be removed there.",
    hint: "Those that are built in stay; one of --index goes when the server is started without it.",
  },
  IMAGE_GONE: {
    means: "An uploaded picture is no longer kept: the server keeps a bounded number and drops the oldest.",
    hint: "Drop the picture in again; the same file has the same address.",
  },
  PICTURES_TOO_MANY: {
    means: "A folder has more pictures than a page without a server takes.",
    hint: "Choose a folder with fewer, or index it with the command: clip-interpret index FOLDER.",
  },
  STORAGE_FULL: {
    means: "The browser does not give the page as much room as pictures and their index need.",
    hint: "Remove what was kept before (Pictures to search), choose fewer pictures, or free some of the disk; then go on.",
  },
  STORAGE_MISSING: {
    means: "The browser keeps no files for this page.",
    hint: "Open it over HTTPS or from this computer (http://localhost), in a window that is not private.",
  },
  STORAGE_BUSY: {
    means: "Another tab of this page indexes pictures now.",
    hint: "Wait until it is done, or stop it there.",
  },
  MODEL_BUSY: {
    means:
      "A model is at work: a page has room for one that was fetched, and none is deleted or moves to another device meanwhile.",
    hint: "Wait until it is done, or stop it at the foot of the page: what was seen is kept.",
  },
  CORPUS_NOT_READY: {
    means: "A corpus has no index for this model yet.",
    hint: "Start making it, or wait until it is made; the page shows how far it is.",
  },
  SERVER_BUSY: {
    means: "Too many requests or jobs are waiting.",
    hint: "Try again in a moment; the answer's Retry-After says when.",
  },
  THREAD_ENDED: {
    means: "A thread ended while it worked, as it does where memory runs out.",
    hint: "Ask again: it was started anew. If that happens again, the server's terminal says why.",
  },
  ADDRESS_UNUSABLE: {
    means: "The server cannot listen on this address or port.",
    hint: "Choose another with --port or --host: `clip-interpret serve --port 0` takes any that is free.",
  },
  CANCELLED: {
    means: "The work was stopped before it ended.",
    hint: "Run the same command again.",
  },
  INTERNAL: {
    means: "Something failed that should not: a fault of this program.",
    hint: "Run again with --debug and report the stack trace.",
  },
} as const satisfies Record<string, { means: string; hint: string }>;

/** A stable error code: a key of `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * An error whose message may be shown to the user as it is.
 *
 * @example
 * ```ts
 * import { ClipInterpretError, openModel } from "clip-interpret";
 *
 * const error = await openModel("no-such-model").catch((reason: unknown) => reason);
 * if (error instanceof ClipInterpretError) console.log(error.code); // → MODEL_NOT_FOUND
 * ```
 */
export class ClipInterpretError extends Error {
  override readonly name = "ClipInterpretError";
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly hint: string;

  /**
   * @param code stable code from `ERRORS`
   * @param message what happened, naming the file, tensor or field concerned
   * @param options `hint` replaces the table's; `cause` is the error underneath
   */
  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
  }
}

/** Process exit code for an error: 1 for a user's mistake, 2 for a fault of ours, 130 for a stop. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ClipInterpretError)) return 2;
  if (error.code === "CANCELLED") return 130;
  return ["INTERNAL", "SUM_MISMATCH", "THREAD_ENDED"].includes(error.code) ? 2 : 1;
}

/** The text of any thrown value, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
