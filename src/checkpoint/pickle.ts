import type { Binary } from "../support/binary.ts";
import { createMachine, type PickleMachine } from "./pickle-machine.ts";
import { construct, isKind, loadPersistent, makeModule, type PickleValue, refused } from "./torch-objects.ts";
import { type Fail, quoted } from "./weight-source.ts";

/** A checkpoint has some 30 instructions a tensor. Each makes at most one object, so this bounds memory too. */
const MAX_INSTRUCTIONS = 1_000_000;
const PROTO = 0x80;
const STOP = 0x2e;

/** What torch.save writes at any protocol, by the byte, with Python's name for it. Anything else is refused. */
const INSTRUCTIONS: Readonly<Record<number, (machine: PickleMachine) => void>> = {
  // FRAME: how the bytes were buffered when written.
  149: ({ read }) => read.take(8),
  // NONE, NEWTRUE, NEWFALSE
  78: ({ push }) => push(null),
  136: ({ push }) => push(true),
  137: ({ push }) => push(false),
  // BININT1, BININT2, BININT, LONG1, LONG4, BINFLOAT
  75: ({ push, read }) => push(read.u8()),
  77: ({ push, read }) => push(read.take(2).readUInt16LE()),
  74: ({ push, read }) => push(read.take(4).readInt32LE()),
  138: ({ push, read }) => push(read.integer(read.u8())),
  139: ({ push, read }) => push(read.integer(read.u32())),
  71: ({ push, read }) => push(read.take(8).readDoubleBE()),
  // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8; Python 2's SHORT_BINSTRING and BINSTRING
  140: ({ push, read }) => push(read.text(read.u8())),
  88: ({ push, read }) => push(read.text(read.u32())),
  141: ({ push, read }) => push(read.text(read.u64())),
  85: ({ push, read }) => push(read.text(read.u8())),
  84: ({ push, read }) => push(read.text(read.u32())),
  // SHORT_BINBYTES, BINBYTES, BINBYTES8
  67: ({ push, read }) => push(read.take(read.u8())),
  66: ({ push, read }) => push(read.take(read.u32())),
  142: ({ push, read }) => push(read.take(read.u64())),
  // MARK, POP, POP_MARK, DUP
  40: ({ mark }) => mark(),
  48: ({ drop }) => drop(),
  49: ({ popToMark }) => popToMark(),
  50: ({ push, top }) => push(top()),
  // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  41: ({ push }) => push([]),
  133: ({ push, popItems }) => push(popItems(1)),
  134: ({ push, popItems }) => push(popItems(2)),
  135: ({ push, popItems }) => push(popItems(3)),
  116: ({ push, popToMark }) => push(popToMark()),
  // EMPTY_LIST, APPEND, APPENDS
  93: ({ push }) => push([]),
  97: ({ append, pop }) => append([pop()]),
  101: ({ append, popToMark }) => append(popToMark()),
  // EMPTY_DICT, SETITEM, SETITEMS
  125: ({ push }) => push(new Map()),
  115: ({ setItems, popItems }) => setItems(popItems(2)),
  117: ({ setItems, popToMark }) => setItems(popToMark()),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: ({ remember, read }) => remember(read.u8()),
  114: ({ remember, read }) => remember(read.u32()),
  148: ({ remember }) => remember(),
  104: ({ recall, read }) => recall(read.u8()),
  106: ({ recall, read }) => recall(read.u32()),
  // GLOBAL, STACK_GLOBAL: a name
  99: ({ pushGlobal, read }) => pushGlobal(read.line(), read.line()),
  147({ pushGlobal, popItems }) {
    const [module, name] = popItems(2);
    pushGlobal(module, name);
  },
  // INST: a name that is called at once
  105({ read, fail }) {
    throw refused(fail, `makes an instance of ${quoted(`${read.line()}.${read.line()}`)}`);
  },
  // REDUCE: a call
  82({ push, popItems, fail }) {
    const [callee, args] = popItems(2);
    push(construct(callee, args, fail));
  },
  // NEWOBJ: a module
  129({ push, popItems, fail }) {
    const [type, args] = popItems(2);
    push(makeModule(type, args, fail));
  },
  // BUILD: an object's attributes, which are kept of modules alone. `state_dict()` gives its OrderedDict `_metadata`, NumPy a type its
  // byte order.
  98({ pop, top, fail }) {
    const state = pop();
    const built = top();
    if (isKind(built, "module")) {
      if (!(state instanceof Map)) throw refused(fail, "gives a module attributes that are not a dict");
      built.attributes = state;
    } else if (!(built instanceof Map || isKind(built, "inert")))
      throw refused(fail, "sets the state of something that is not a dict");
  },
  // BINPERSID: a storage
  81: ({ push, pop, fail }) => push(loadPersistent(pop(), fail)),
};

/** Python's names for other instructions that run code, for messages. */
const NAMES: Readonly<Record<number, string>> = {
  80: "PERSID",
  111: "OBJ",
  130: "EXT1",
  131: "EXT2",
  132: "EXT4",
  146: "NEWOBJ_EX",
};

/**
 * Reads a pickle of protocol 2 to 5 as far as a state dict needs it. There is no way from here to code: names are
 * compared with a short list, what may be "called" builds maps, shapes, tensor descriptions and values that are dropped,
 * and everything else is refused by name.
 *
 * @param fail makes the error, `CHECKPOINT_INVALID`
 * @param script whether it is of a TorchScript archive: modules, whose classes are names and nothing else, are read too
 */
export function unpickle(bytes: Binary, fail: Fail, script = false): PickleValue {
  const machine = createMachine(bytes, script, fail);
  const { read } = machine;
  if (read.u8() !== PROTO) throw fail("its pickle is not of protocol 2 to 5");
  const protocol = read.u8();
  if (protocol < 2 || protocol > 5) throw fail(`its pickle is of protocol ${protocol}, not 2 to 5`);
  for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
    const code = read.u8();
    if (code === STOP) return machine.pop();
    const instruction = INSTRUCTIONS[code];
    if (!instruction) {
      throw refused(fail, `uses the instruction ${NAMES[code] ?? `0x${code.toString(16).padStart(2, "0")}`}`);
    }
    instruction(machine);
  }
  throw fail(`its pickle has more than ${MAX_INSTRUCTIONS} instructions`);
}
