import { types } from 'node:util';

import { optionError } from '../../../errors';
import { IntDict, OrderedDict, PyFloat, PyObject, PyTuple } from '../../python_values';
import { ByteSink } from '../byte_sink';
import { dtypes } from '../dtypes';
import { maxDepth } from '../fault';
import type { TensorRecord } from '../tensor_record';
import { longBytes, maxLongBytes } from './integers';

/** Returns the record of a tensor, or undefined for a value that is not a tensor. */
export type Place = (value: object) => TensorRecord | undefined;

/**
 * Pickles plain values and tensors in protocol 2. It uses only opcodes and globals that `torch.load(weights_only=True)`
 * accepts. An object that occurs twice is one object in Python too.
 * @throws CleanclipError `ERR_OPTION` naming a value that cannot be saved
 */
export function writePickle(value: unknown, place: Place): Buffer {
  return new PickleWriter(place).write(value);
}

class PickleWriter {
  readonly #out = new ByteSink();
  /** numbers that BINPUT has given: objects and strings are their own keys, globals have keys `module\nname\n` */
  readonly #memo = new Map<unknown, number>();
  readonly #globals = new Map<string, number>();
  readonly #open = new Set<object>();
  readonly #path: string[] = [];

  constructor(private readonly place: Place) {}

  write(value: unknown): Buffer {
    this.#out.byte(0x80, 2); // PROTO
    this.#value(value);
    this.#out.byte(0x2e); // STOP
    return this.#out.content();
  }

  #value(value: unknown): void {
    if (value === null) return this.#out.byte(0x4e); // NONE
    switch (typeof value) {
      case 'boolean':
        return this.#out.byte(value ? 0x88 : 0x89); // NEWTRUE, NEWFALSE
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.#integer(value) : this.#float(value);
      case 'bigint':
        return this.#long(value);
      case 'string':
        return this.#once(value, () => this.#text(value));
      case 'object':
        return value instanceof PyFloat ? this.#float(value.value) : this.#object(value);
      default:
        throw this.#refusal(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
    }
  }

  #object(value: object): void {
    if (this.#open.has(value)) throw this.#refusal('contains itself');
    if (this.#path.length > maxDepth)
      throw optionError(`The value to save nests more than ${maxDepth} deep; flatten it.`);
    this.#open.add(value);
    const record = this.place(value);
    if (record) this.#once(value, () => this.#tensor(record));
    else if (types.isUint8Array(value)) this.#once(value, () => this.#bytes(value));
    else if (value instanceof PyTuple) this.#once(value, () => this.#tuple(value));
    else if (Array.isArray(value)) this.#once(value, () => this.#list(value));
    else if (types.isSet(value)) this.#once(value, () => this.#set(value));
    else this.#once(value, () => this.#dict(value));
    this.#open.delete(value);
  }

  #dict(value: object): void {
    const entries = types.isMap(value) ? [...value] : this.#entriesOf(value);
    if (value instanceof OrderedDict) this.#emptyOrderedDict();
    else this.#out.byte(0x7d); // EMPTY_DICT
    if (entries.length === 0) return;
    this.#out.byte(0x28); // MARK
    for (const [key, item] of entries) {
      this.#value(key);
      this.#within(String(key), item);
    }
    this.#out.byte(0x75); // SETITEMS
  }

  #entriesOf(value: object): [unknown, unknown][] {
    if (value instanceof IntDict) return Object.keys(value).map((key) => [this.#integerKey(key), value[key]]);
    const prototype: unknown = Object.getPrototypeOf(value);
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null || value instanceof OrderedDict;
    if (value instanceof PyObject)
      throw this.#refusal(`is a PyObject of ${value.className}, of which only a record was read`);
    if (!plain) throw this.#refusal(`is a ${value.constructor?.name ?? 'class'}`);
    return Object.entries(value);
  }

  #integerKey(key: string): bigint {
    if (!/^-?\d+$/.test(key)) throw this.#refusal(`is an IntDict with the key "${key}"`);
    return BigInt(key);
  }

  #list(items: readonly unknown[]): void {
    this.#out.byte(0x5d); // EMPTY_LIST
    if (items.length === 0) return;
    this.#out.byte(0x28); // MARK
    this.#items(items);
    this.#out.byte(0x65); // APPENDS
  }

  #tuple(items: readonly unknown[]): void {
    this.#out.byte(0x28); // MARK
    this.#items(items);
    this.#out.byte(0x74); // TUPLE
  }

  #set(items: ReadonlySet<unknown>): void {
    this.#global('__builtin__', 'set');
    this.#list([...items]);
    this.#out.byte(0x85, 0x52); // TUPLE1, REDUCE
  }

  #items(items: readonly unknown[]): void {
    for (let i = 0; i < items.length; i++) this.#within(String(i), items[i]);
  }

  /**
   * Writes `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. Dtypes without a storage class of
   * their own need v3.
   */
  #tensor(record: TensorRecord): void {
    const { bytes, storage } = dtypes.get(record.dtype)!;
    this.#global('torch._utils', storage ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3');
    this.#out.byte(0x28, 0x28); // MARK, MARK
    this.#value('storage');
    if (storage) this.#global('torch', storage);
    else this.#global('torch.storage', 'UntypedStorage');
    this.#value(record.key);
    this.#value('cpu');
    this.#value(storage ? record.recordBytes / bytes : record.recordBytes);
    this.#out.byte(0x74, 0x51); // TUPLE, BINPERSID
    this.#value(record.offset);
    this.#tuple(record.shape);
    this.#tuple(record.stride);
    this.#value(record.requiresGrad);
    this.#emptyOrderedDict();
    if (!storage) this.#global('torch', record.dtype);
    this.#out.byte(0x74, 0x52); // TUPLE, REDUCE
  }

  #emptyOrderedDict(): void {
    this.#global('collections', 'OrderedDict');
    this.#out.byte(0x29, 0x52); // EMPTY_TUPLE, REDUCE
  }

  /** Writes bytes. Protocol 2 has none, so Python spells them as `_codecs.encode(text, "latin1")`. */
  #bytes(content: Uint8Array): void {
    this.#global('_codecs', 'encode');
    this.#text(Buffer.from(content).toString('latin1'));
    this.#value('latin1');
    this.#out.byte(0x86, 0x52); // TUPLE2, REDUCE
  }

  #global(module: string, name: string): void {
    const lines = `${module}\n${name}\n`;
    this.#once(
      lines,
      () => {
        this.#out.byte(0x63); // GLOBAL
        this.#out.bytes(Buffer.from(lines, 'utf8'));
      },
      this.#globals,
    );
  }

  #integer(value: number): void {
    if (value >= 0 && value < 2 ** 8)
      this.#out.byte(0x4b, value); // BININT1
    else if (value >= 0 && value < 2 ** 16) {
      this.#out.byte(0x4d); // BININT2
      this.#out.uint16(value);
    } else if (value === (value | 0)) {
      this.#out.byte(0x4a); // BININT
      this.#out.int32(value);
    } else this.#long(BigInt(value));
  }

  #long(value: bigint): void {
    if (BigInt.asIntN(8 * maxLongBytes, value) !== value)
      throw this.#refusal(`is an integer of more than ${maxLongBytes} bytes`);
    const bytes = longBytes(value);
    this.#out.byte(0x8a, bytes.length); // LONG1
    this.#out.bytes(bytes);
  }

  #float(value: number): void {
    this.#out.byte(0x47); // BINFLOAT
    this.#out.float64(value);
  }

  #text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.#out.byte(0x58); // BINUNICODE
    this.#out.uint32(bytes.length);
    this.#out.bytes(bytes);
  }

  /** Writes a value the first time and refers to it afterwards. */
  #once(identity: unknown, write: () => void, memo: Map<unknown, number> = this.#memo): void {
    const index = memo.get(identity);
    if (index === undefined) {
      write();
      const next = this.#memo.size + this.#globals.size;
      memo.set(identity, next);
      this.#numbered(0x71, 0x72, next); // BINPUT, LONG_BINPUT
    } else this.#numbered(0x68, 0x6a, index); // BINGET, LONG_BINGET
  }

  #numbered(short: number, long: number, index: number): void {
    if (index < 2 ** 8) return this.#out.byte(short, index);
    this.#out.byte(long);
    this.#out.uint32(index);
  }

  #within(name: string, value: unknown): void {
    this.#path.push(name);
    this.#value(value);
    this.#path.pop();
  }

  #refusal(what: string): Error {
    const where = this.#path.length === 0 ? 'The value to save' : `The value to save at ${this.#path.join('.')}`;
    return optionError(
      `${where} ${what}; a checkpoint holds tensors, numbers, strings, booleans, null, arrays, sets, maps and ` +
        'plain objects.',
    );
  }
}
