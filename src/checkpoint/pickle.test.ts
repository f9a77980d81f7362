import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as p from "../../test/support/pickle.ts";
import { Binary } from "../support/binary.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { unpickle } from "./pickle.ts";

const read = (bytes: Buffer) =>
  unpickle(Binary.over(bytes), (why, options) => new ClipInterpretError("CHECKPOINT_INVALID", why, options));
const readPieces = (...pieces: readonly p.Piece[]) => read(p.pickle(...pieces));

/** Reads, and gives the error's message; anything but a `CHECKPOINT_INVALID` fails. */
function refusal(bytes: Buffer): string {
  try {
    read(bytes);
  } catch (error) {
    expect(error).toMatchObject({ code: "CHECKPOINT_INVALID" });
    return (error as Error).message;
  }
  throw new Error("it was read");
}

const [four, system] = [p.storage("0", 4), p.global("posix", "system")];

describe("unpickle", () => {
  it.each([
    ["None, True, False", p.tuple("N", "\x88", "\x89"), [null, true, false]],
    [
      "integers",
      p.tuple("K\xff", "M\xff\xff", p.int(-2), p.int(2 ** 40), "\x8a\x00"),
      [255, 65535, -2, 2 ** 40, 0],
    ],
    ["a long of four bytes' length", "\x8b\x02\x00\x00\x00\x00\x80", -32768],
    ["an integer that no number holds", p.int(2n ** 62n + 1n), 2n ** 62n + 1n],
    ["a float", "G\x3f\xe0\x00\x00\x00\x00\x00\x00", 0.5],
    [
      "texts",
      p.tuple(p.text("ä"), "\x8c\x01a", "\x8d\x01\0\0\0\0\0\0\0b", "U\x01c", "T\x01\0\0\0d"),
      [..."äabcd"],
    ],
    ["bytes", p.tuple("C\x01a", "B\x01\0\0\0a", "\x8e\x01\0\0\0\0\0\0\0a"), Array(3).fill(Binary.of(97))],
    [
      "tuples",
      p.tuple(")", "N\x85", "N\x88\x86", "N\x88\x89\x87"),
      [[], [null], [null, true], [null, true, false]],
    ],
    ["lists", "](K\x01K\x02eK\x03a", [1, 2, 3]],
    [
      "dicts",
      p.join(p.dict("K\x01", "K\x02"), "K\x03K\x04s"),
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    ["the memo", "(K\x01q\x05K\x02r\x06\x00\x00\x00h\x05j\x06\x00\x00\x00t", [1, 2, 1, 2]],
    ["the memo of protocol 4", "(K\x07\x94K\x08\x94h\x01h\x00t", [7, 8, 8, 7]],
    ["what is dropped and doubled", "K\x01K\x020(K\x03(0K\x0412\x86", [1, 1]],
    ["torch.Size", p.call(p.global("torch", "Size"), p.ints(2, 3)), [2, 3]],
    [
      "an OrderedDict's attributes, not kept",
      p.join(p.orderedDict, p.dict("K\x01", "K\x02"), "b"),
      new Map(),
    ],
    ["a list in itself", "]q\x00h\x00a0N", null],
  ])("reads %s", (_what, piece, expected) => expect(readPieces(piece)).toEqual(expected));

  it("describes tensors and parameters, and makes nothing", () => {
    const expected = {
      kind: "tensor",
      storage: { kind: "storage", dtype: "F32", key: "0", length: 4 },
      offset: 1,
      shape: [3],
      strides: [1],
    };
    const tensor = p.tensor(four, [3], [1], 1);
    expect(readPieces(tensor)).toEqual(expected);
    const parameter = p.call(p.global("torch._utils", "_rebuild_parameter"), tensor, "\x88", p.orderedDict);
    expect(readPieces(parameter)).toEqual(expected);
  });

  it("keeps __proto__ and constructor as the plain names they are", () => {
    const value = readPieces(
      p.dict(p.text("__proto__"), p.dict(p.text("polluted"), "\x88"), p.text("constructor"), "N"),
    );
    expect([...(value as Map<string, unknown>).keys()]).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(refusal(p.pickle(p.global("__proto__", "constructor")))).toMatch(/__proto__\.constructor/);
    const id = p.tuple(p.text("storage"), p.global("torch", "float32"), p.text("0"), p.text("cpu"), "K\x01");
    expect(refusal(p.pickle(id, "Q"))).toMatch(/not a storage/);
  });
});

describe("code in a pickle is refused by name and never run:", () => {
  const shell = p.text("touch pwned");
  it.each([
    ["os.system", p.call(system, shell), "posix.system"],
    ["builtins.eval", p.call(p.global("builtins", "eval"), p.text("1")), "builtins.eval"],
    ["Python 2's builtins", p.call(p.global("__builtin__", "exec"), shell), "__builtin__.exec"],
    ["STACK_GLOBAL", p.call(p.stackGlobal("os", "system"), shell), "os.system"],
    [
      "STACK_GLOBAL with a dotted name",
      p.stackGlobal("collections", "OrderedDict.__init__"),
      "OrderedDict.__init__",
    ],
    ["a name split elsewhere", p.global("torch._utils._rebuild_tensor_v2", "__globals__"), "__globals__"],
    ["a torch function", p.global("torch.hub", "load"), "torch.hub.load"],
    ["a TorchScript class", p.global("__torch__.torch.nn", "Linear"), "__torch__.torch.nn.Linear"],
    [
      "a numpy array",
      p.global("numpy.core.multiarray", "_reconstruct"),
      "numpy.core.multiarray._reconstruct",
    ],
    [
      "numpy's other names",
      p.global("numpy.core.multiarray", "frombuffer"),
      "numpy.core.multiarray.frombuffer",
    ],
    ["a decoder", p.global("_codecs", "decode"), "_codecs.decode"],
    ["INST", p.join("(", shell, "iposix\nsystem\n"), "posix.system"],
    ["INST of an allowed class", "(icollections\nOrderedDict\n", "collections.OrderedDict"],
    ["OBJ", p.join("(", system, shell, "o"), "posix.system"],
    ["OBJ of an allowed class", p.join("(", p.global("torch", "Size"), ")o"), "OBJ"],
    ["NEWOBJ", p.join(p.global("subprocess", "Popen"), p.tuple(shell), "\x81"), "subprocess.Popen"],
    ["NEWOBJ of an allowed class", p.join(p.global("torch", "Size"), ")\x81"), "NEWOBJ"],
    ["NEWOBJ_EX", p.join(p.global("torch", "Size"), ")}\x92"), "NEWOBJ_EX"],
    ["EXT1", "\x82\x01", "EXT1"],
    ["EXT2", "\x83\x01\x00", "EXT2"],
    ["EXT4", "\x84\x01\x00\x00\x00", "EXT4"],
    ["a text persistent id", "P0\n", "PERSID"],
    ["an out-of-band buffer", "\x97", "0x97"],
    ["an unknown instruction", "\x01", "0x01"],
    [
      "a call inside an OrderedDict's attributes",
      p.join(p.orderedDict, p.dict(p.text("a"), p.call(system, shell)), "b"),
      "posix.system",
    ],
    [
      "the attributes of something else",
      p.join(p.global("torch", "float32"), p.dict(p.text("a"), "N"), "b"),
      "state",
    ],
    ["calling a storage class", p.call(p.global("torch", "FloatStorage"), "K\x04"), "torch.FloatStorage"],
    ["calling text", p.call(p.text("posix.system"), shell), "not a function"],
    ["calling with no tuple", p.join(p.global("torch", "Size"), "NR"), "not a function"],
    [
      "an OrderedDict with content",
      p.call(p.global("collections", "OrderedDict"), "]"),
      "collections.OrderedDict",
    ],
    [
      "a parameter of no tensor",
      p.call(p.global("torch._utils", "_rebuild_parameter"), "N", "N", "N"),
      "_rebuild_parameter",
    ],
  ])("%s", (_what, piece, named) => {
    expect(refusal(p.pickle(piece))).toContain(named);
    expect(refusal(p.pickle(p.dict(p.text("a"), piece)))).toContain(named);
  });

  it("with a hint that nothing was executed", () => {
    expect(() => readPieces(system)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/Nothing .* executed.*safetensors/) }),
    );
  });

  it("and a name cannot forge a message: no control characters, not long", () => {
    const message = refusal(p.pickle(p.global("a\x1b[2J\r\x7f\xc2\x9b\xe2\x80\xae", "b".repeat(100_000))));
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe("damaged and hostile tensors are refused:", () => {
  const id = (...items: p.Piece[]) => p.join(p.tuple(...items), "Q");
  const float = p.global("torch", "FloatStorage");
  it.each([
    ["a persistent id that is text", p.join(p.text("0"), "Q")],
    ["a persistent id that is too short", id(p.text("storage"), float, p.text("0"), p.text("cpu"))],
    [
      "a persistent id that is too long",
      id(p.text("storage"), float, p.text("0"), p.text("cpu"), "K\x01", "N"),
    ],
    ["a persistent id of another tag", id(p.text("module"), float, p.text("0"), p.text("cpu"), "K\x01")],
    [
      "a persistent id without class",
      id(p.text("storage"), p.text("float"), p.text("0"), p.text("cpu"), "K\x01"),
    ],
    ["a key that is a path", p.storage("../../etc/passwd", 4)],
    ["a key that is a number", id(p.text("storage"), float, "K\x00", p.text("cpu"), "K\x01")],
    ["a location that is a number", id(p.text("storage"), float, p.text("0"), "K\x00", "K\x01")],
    ["a negative storage", p.storage("0", -4)],
    ["a storage larger than any number", p.storage("0", 2n ** 62n)],
    ["a negative offset", p.tensor(four, [1], [1], -1)],
    ["negative sizes", p.tensor(four, [-1, -4], [1, 1])],
    ["negative strides", p.tensor(four, [4], [-1])],
    ["sizes larger than any number", p.tensor(four, [2n ** 62n], [1])],
    ["fewer strides than axes", p.tensor(four, [2, 2], [1])],
    ["too many axes", p.tensor(four, Array(33).fill(1), Array(33).fill(1))],
    ["no storage", p.tensor("N", [1], [1])],
    ["a tensor of a tensor", p.tensor(p.tensor(four, [1], [1]), [1], [1])],
    ["too few arguments", p.call(p.global("torch._utils", "_rebuild_tensor_v2"), four)],
  ])("%s", (_what, piece) => {
    refusal(p.pickle(piece));
  });
});

describe("a pickle cannot exhaust the reader:", () => {
  it.each([
    ["lists nested a million deep", p.pickle("]".repeat(1e6), "a".repeat(1e6 - 1))],
    ["a million marks", p.pickle("(".repeat(1e6), "t".repeat(1e6))],
    ["a million dicts", p.pickle("}".repeat(2e6))],
    ["texts of more bytes than there are", p.pickle("X\xff\xff\xff\xff")],
    ["texts of 2^64 bytes", p.pickle(`\x8d${"\xff".repeat(8)}`)],
    ["integers of 2^32 bytes", p.pickle("\x8b\xff\xff\xff\xff")],
    ["integers wide enough to be slow", p.pickle(p.join("\x8b\x00\x00\x10\x00", Buffer.alloc(1 << 20, 1)))],
  ])(
    "%s",
    (_what, bytes) => {
      refusal(bytes);
    },
    30_000,
  );

  it("nests as deep as instructions allow", () => {
    expect(readPieces("]".repeat(4e5), "a".repeat(4e5 - 1))).toBeInstanceOf(Array);
    expect(readPieces("](", "N".repeat(9e5), "e")).toHaveLength(9e5);
  });

  it("lists of lists of lists, of 10^30 items if they were copied", () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `0](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`,
    );
    expect(readPieces("]q\x00", ...bomb)).toHaveLength(10);
  });

  it("a long shape that a great many tensors share", () => {
    const long = p.tuple("K\x01".repeat(3e5));
    const one = p.join(...[p.global("torch._utils", "_rebuild_tensor_v2"), "(h\x01K\x00h\x00h\x00NNtR0"]);
    refusal(p.pickle(long, "q\x000", four, "q\x010", ...Array(3e4).fill(one), "N"));
  }, 5000);
});

describe("damage of any kind is CHECKPOINT_INVALID:", () => {
  const sound = p.pickle(
    p.dict(p.text("a"), p.tensor(four, [2, 2], [2, 1]), p.text("b"), p.ints(1, 2 ** 40)),
  );

  it("cut off at every byte", () => {
    expect(read(sound)).toBeInstanceOf(Map);
    for (let length = 0; length < sound.length; length++) refusal(sound.subarray(0, length));
  });

  it.each([
    ["empty", ""],
    ["protocol 0", "N."],
    ["protocol 1", "\x80\x01N."],
    ["protocol 6", "\x80\x06N."],
    ["nothing on the stack", "\x80\x02."],
    ["a pop too many", "\x80\x02N00."],
    ["a mark too few", "\x80\x02Nt."],
    ["behind a mark", "\x80\x02N(\x85."],
    ["an empty memo", "\x80\x02h\x00."],
    ["nothing to remember", "\x80\x02q\x00."],
    ["half an item", "\x80\x02}(Nu."],
    ["items of a list", "\x80\x02]NNs."],
    ["appending to a dict", "\x80\x02}Na."],
    ["a name that is no text", "\x80\x02NN\x93."],
    ["a name without end", "\x80\x02cposix"],
  ])("%s", (_what, bytes) => {
    refusal(p.join(bytes));
  });

  /** Reads; `CHECKPOINT_INVALID` is fine, any other error is not. */
  const survives = (bytes: Buffer) => {
    try {
      read(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: "CHECKPOINT_INVALID" });
    }
  };

  it("one byte changed", () => {
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, byte) => {
        const bytes = Buffer.from(sound);
        bytes[at] = byte;
        survives(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it("random instructions", () => {
    const known = fc.constantFrom(
      ..."NKMJGX(012)]tae}suqhrjcRbQ\x85\x86\x87\x88\x89\x8a\x8c\x93\x94",
      "\x00",
      "\x01",
    );
    const piece = fc.oneof(
      { weight: 6, arbitrary: known },
      fc.constantFrom<p.Piece>(four, p.tensor(four, [1], [1]), p.orderedDict, p.text("0"), p.ints(1)),
      fc.uint8Array({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => survives(p.pickle(...pieces))),
      { numRuns: 1000 },
    );
  });
});
