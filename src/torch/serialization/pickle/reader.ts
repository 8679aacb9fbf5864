import { PyTuple } from '../../python_values';
import { Fault } from '../fault';
import { Dict, Handle, KnownFunction, Stateful } from '../handles';
import { Inert, UnknownGlobal } from './inert';
import { longToNumber } from './integers';

/** What a pickle may refer to by name, and what its persistent ids mean. */
export interface PickleWorld {
  /** The value of `module.name`, or a Fault. */
  global(name: string): unknown;
  /** The value of a persistent id. */
  persistent(id: unknown): unknown;
  /** Is told of a call of a function that is not known, and what it was called with. */
  called?(args: unknown): void;
  /** Bytes, and the long byte strings of Python 2, are views of the pickle; else bytes are copies, and strings text. */
  readonly views?: boolean;
}

/** Where a pickle's bytes come from: a Buffer, or a file that is read as far as need be. */
export type PickleSource = Pick<Buffer, 'length' | 'subarray'>;

/** No module and name together are longer. */
const maxLine = 1 << 16;

/**
 * More steps, values, collections and tensors among them, and references to them than checkpoints have: they take two
 * seconds and some hundred MB.
 */
const maxSteps = 2 ** 24;
const maxValues = 2 ** 21;
const maxObjects = 2 ** 19;
const maxReferences = 2 ** 20;

/**
 * Runs a pickle (protocols 2–5) as a machine that knows values only: it builds lists, tuples, dicts, sets, numbers and
 * texts, and calls nothing but the {@link KnownFunction}s that `world` hands out. Work and memory stay in proportion to
 * the pickle's size. Source: CPython's pickletools, which documents every opcode.
 */
export class PickleReader {
  #at: number;
  #values = 0;
  #objects = 0;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  /** @param start where in `pickle` it begins */
  constructor(
    private readonly pickle: PickleSource,
    private readonly world: PickleWorld,
    start = 0,
  ) {
    this.#at = start;
  }

  /** Where the bytes end that were read so far. */
  get end(): number {
    return this.#at;
  }

  /** The pickled value, with dicts as {@link Dict}. */
  read(): unknown {
    for (let steps = 0; steps < maxSteps; steps++) {
      const opcode = this.#byte();
      if (opcode === 0x2e /* STOP */) return this.#pop();
      this.#step(opcode);
    }
    throw new Fault(`takes more than ${maxSteps} steps to unpickle`);
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80:
        /* PROTO */ return this.#protocol(this.#byte());
      case 0x95:
        /* FRAME */ return void this.#take(8);
      case 0x4e:
        /* NONE */ return this.#push(null);
      case 0x88:
        /* NEWTRUE */ return this.#push(true);
      case 0x89:
        /* NEWFALSE */ return this.#push(false);

      case 0x4b:
        /* BININT1 */ return this.#push(this.#byte());
      case 0x4d:
        /* BININT2 */ return this.#push(this.#take(2).readUInt16LE());
      case 0x4a:
        /* BININT */ return this.#push(this.#take(4).readInt32LE());
      case 0x8a:
        /* LONG1 */ return this.#push(longToNumber(this.#take(this.#byte())));
      case 0x8b:
        /* LONG4 */ return this.#push(longToNumber(this.#take(this.#uint32())));
      case 0x47:
        /* BINFLOAT */ return this.#push(this.#take(8).readDoubleBE());

      case 0x8c:
        /* SHORT_BINUNICODE */ return this.#push(this.#text(this.#byte()));
      case 0x55:
        /* SHORT_BINSTRING */ return this.#push(this.#text(this.#byte()));
      case 0x58:
        /* BINUNICODE */ return this.#push(this.#text(this.#uint32()));
      case 0x54:
        /* BINSTRING */ return this.#push(this.world.views ? this.#take(this.#uint32()) : this.#text(this.#uint32()));
      case 0x8d:
        /* BINUNICODE8 */ return this.#push(this.#text(this.#uint64()));
      case 0x43:
        /* SHORT_BINBYTES */ return this.#pushObject(this.#bytes(this.#byte()));
      case 0x42:
        /* BINBYTES */ return this.#pushObject(this.#bytes(this.#uint32()));
      case 0x8e:
        /* BINBYTES8 */ return this.#pushObject(this.#bytes(this.#uint64()));
      case 0x96:
        /* BYTEARRAY8 */ return this.#pushObject(this.#bytes(this.#uint64()));

      case 0x28:
        /* MARK */ return this.#mark();
      case 0x30:
        /* POP */ return this.#discard();
      case 0x31:
        /* POP_MARK */ return void this.#popToMark();
      case 0x5d:
        /* EMPTY_LIST */ return this.#pushObject([]);
      case 0x29:
        /* EMPTY_TUPLE */ return this.#pushObject(new PyTuple());
      case 0x7d:
        /* EMPTY_DICT */ return this.#pushObject(new Dict(false));
      case 0x8f:
        /* EMPTY_SET */ return this.#pushObject(new Set());
      case 0x61:
        /* APPEND */ return this.#append([this.#pop()]);
      case 0x65:
        /* APPENDS */ return this.#append(this.#popToMark());
      case 0x73:
        /* SETITEM */ return this.#setItems(this.#popMany(2));
      case 0x75:
        /* SETITEMS */ return this.#setItems(this.#popToMark());
      case 0x90:
        /* ADDITEMS */ return this.#addItems(this.#popToMark());
      case 0x91:
        /* FROZENSET */ return this.#pushObject(new Set(this.#popToMark()));
      case 0x74:
        /* TUPLE */ return this.#pushObject(tupleOf(this.#popToMark()));
      case 0x85:
        /* TUPLE1 */ return this.#pushObject(tupleOf(this.#popMany(1)));
      case 0x86:
        /* TUPLE2 */ return this.#pushObject(tupleOf(this.#popMany(2)));
      case 0x87:
        /* TUPLE3 */ return this.#pushObject(tupleOf(this.#popMany(3)));

      case 0x68:
        /* BINGET */ return this.#recall(this.#byte());
      case 0x6a:
        /* LONG_BINGET */ return this.#recall(this.#uint32());
      case 0x71:
        /* BINPUT */ return this.#remember(this.#byte());
      case 0x72:
        /* LONG_BINPUT */ return this.#remember(this.#uint32());
      case 0x94:
        /* MEMOIZE */ return this.#remember(this.#memo.size);

      case 0x63:
        /* GLOBAL */ return this.#push(this.world.global(`${this.#line()}.${this.#line()}`));
      case 0x93:
        /* STACK_GLOBAL */ return this.#stackGlobal();
      case 0x52:
        /* REDUCE */ return this.#call(...(this.#popMany(2) as [unknown, unknown]), true);
      case 0x81:
        /* NEWOBJ */ return this.#call(...(this.#popMany(2) as [unknown, unknown]));
      case 0x92:
        /* NEWOBJ_EX */ return this.#make(this.#popMany(3));
      case 0x62:
        /* BUILD */ return this.#build();
      case 0x51:
        /* BINPERSID */ return this.#push(this.world.persistent(this.#pop()));
      default:
        throw new Fault(
          `uses the pickle opcode 0x${opcode.toString(16).padStart(2, '0')}, which no checkpoint of tensors and ` +
            'plain values needs',
        );
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) throw new Fault(`uses pickle protocol ${version}, but torch writes 2 to 5`);
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw damaged('a global without a name');
    this.#push(this.world.global(`${module}.${name}`));
  }

  /** @param runs whether Python may run a function with the arguments, and not merely make an object of a class */
  #call(callee: unknown, args: unknown, runs = false): void {
    if (callee instanceof UnknownGlobal || callee instanceof Inert) {
      if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are no tuple`);
      if (runs) this.world.called?.(args);
      return this.#pushObject(new Inert(callee.name, args));
    }
    if (!(callee instanceof KnownFunction)) {
      throw new Fault(
        `calls ${callee instanceof Handle ? callee.name : 'a value'}, but a checkpoint may only make tensors ` +
          'and plain values',
      );
    }
    if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are no tuple`);
    this.#pushObject(callee.call(args));
  }

  /** An object of a class that takes keywords, which none that is known does. */
  #make([type, args, keywords]: unknown[]): void {
    if (!(type instanceof UnknownGlobal) || !Array.isArray(args))
      throw damaged('an object that is made in an unknown way');
    this.#pushObject(new Inert(type.name, [...(args as unknown[]), keywords]));
  }

  /** Attributes of an object; those of an OrderedDict (torch's `_metadata`) are dropped. */
  #build(): void {
    const state = this.#pop();
    const target = this.#top();
    if (target instanceof Stateful) target.setState(state);
    else if (!(target instanceof Dict && target.ordered)) {
      throw new Fault('gives attributes to a value that has none; a checkpoint holds only tensors and plain values');
    }
  }

  #append(items: readonly unknown[]): void {
    const list = itemsOf(this.#top());
    if (!Array.isArray(list) || list instanceof PyTuple) throw damaged('an item without its list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const dict = this.#top();
    if (dict instanceof Inert) return void appendAll(dict.entries, items);
    if (!(dict instanceof Dict) || items.length % 2 !== 0) throw damaged('an entry without its dict');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  #addItems(items: readonly unknown[]): void {
    const set = this.#top();
    if (set instanceof Inert) return void appendAll(set.items, items);
    if (!(set instanceof Set)) throw damaged('an item without its set');
    for (const item of items) set.add(item);
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw damaged(`a reference to value ${index}, which does not exist`);
    this.#push(this.#memo.get(index));
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
    if (this.#memo.size > maxReferences) throw new Fault(`numbers more than ${maxReferences} values`);
  }

  #push(value: unknown): void {
    if (++this.#values > maxValues) throw new Fault(`holds more than ${maxValues} values`);
    this.#stack.push(value);
  }

  #pushObject(value: unknown): void {
    if (++this.#objects > maxObjects) throw new Fault(`holds more than ${maxObjects} collections and tensors`);
    this.#push(value);
  }

  #mark(): void {
    if (this.#marks.push(this.#stack.length) > maxObjects)
      throw new Fault(`begins more than ${maxObjects} collections at once`);
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): unknown[] {
    if (this.#stack.length - count < (this.#marks.at(-1) ?? 0)) throw damaged('fewer values than it uses');
    return this.#stack.splice(-count);
  }

  /** POP takes the last value, or the last mark when nothing lies on it. */
  #discard(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.#pop();
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw damaged('a mark that is missing');
    return this.#stack.splice(mark);
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw damaged('fewer values than it uses');
    return this.#stack.at(-1);
  }

  #take(size: number): Buffer {
    if (size > this.pickle.length - this.#at) throw damaged('an end in the middle of a value');
    this.#at += size;
    return this.pickle.subarray(this.#at - size, this.#at);
  }

  #byte(): number {
    return this.#take(1)[0];
  }

  #uint32(): number {
    return this.#take(4).readUInt32LE();
  }

  #uint64(): number {
    return Number(this.#take(8).readBigUInt64LE());
  }

  #text(size: number): string {
    return this.#take(size).toString('utf8');
  }

  #bytes(size: number): Uint8Array {
    return this.world.views ? this.#take(size) : new Uint8Array(this.#take(size));
  }

  #line(): string {
    const end = this.pickle.subarray(this.#at, Math.min(this.#at + maxLine, this.pickle.length)).indexOf(0x0a);
    if (end < 0) throw damaged('a global without a name');
    return this.#take(end + 1)
      .toString('utf8')
      .slice(0, -1);
  }
}

/** Faster than PyTuple.from. */
function tupleOf(items: readonly unknown[]): PyTuple {
  const tuple = new PyTuple();
  appendAll(tuple, items);
  return tuple;
}

const itemsOf = (value: unknown): unknown => (value instanceof Inert ? value.items : value);

function appendAll(list: unknown[], items: readonly unknown[]): void {
  for (const item of items) list.push(item);
}

const damaged = (what: string): Fault => new Fault(`is damaged: its pickle has ${what}`);
