import { defineEntry, IntDict, OrderedDict, PyObject, PyTuple } from '../../python_values';
import { dtypes } from '../dtypes';
import { Fault, maxDepth } from '../fault';
import { Dict, Handle, NumpyDtype, ScriptObject, Storage } from '../handles';
import { elementSize } from '../placement';
import type { CheckpointWorld } from '../world';
import { Inert, pythonName } from './inert';
import { NumpyArray } from './numpy_array';

/** An object of a Python class that was left unread. A {@link PyObject} replaces it. */
export interface Unread {
  /** keys that lead to it, such as `args` or `optimizer.state.0`; '' for the whole value */
  readonly key: string;
  /** full name of its class, or function, in Python */
  readonly className: string;
}

/** The place of a value: its keys from the outermost inwards. */
interface Place {
  readonly outer?: Place;
  readonly key: unknown;
  readonly depth: number;
}

/** The most unread objects that are listed one by one. */
const maxUnread = 1000;

/**
 * Turns the value that the pickle machine built into plain JavaScript. A dict with string keys becomes an object (or an
 * {@link OrderedDict}), one with int keys an {@link IntDict}, any other a Map. An object of an unknown class becomes a
 * {@link PyObject}. One object in Python stays one object.
 *
 * @param value the value of the pickle
 * @param world the world that the pickle was read in
 * @param unread collects the objects left unread, but not those inside them
 * @throws Fault when values contain themselves, nest too deep, or use a tensor that an unknown function may have
 * changed
 */
export function toPlain(value: unknown, world: Pick<CheckpointWorld, 'handed' | 'tensors'>, unread: Unread[]): unknown {
  const finished = new Map<unknown, unknown>();
  const open = new Set<unknown>();
  // Objects may contain themselves, and may nest without end. So their contents are converted after all else.
  const later: { inert: Inert; object: PyObject }[] = [];
  let inside = false;

  const convert = (current: unknown, place: Place): unknown => {
    if (world.handed.size > 0 && !inside && world.handed.has(current)) {
      throw new Fault(
        `passes the tensor at ${keyOf(place)} to an unknown function, which may change it; save it ` +
          'again in Python without that function',
      );
    }
    if (current instanceof Handle) return convertHandle(current, place);
    if (!isContainer(current)) return current;
    if (finished.has(current)) return finished.get(current);
    if (open.has(current)) throw new Fault('holds a value that contains itself');
    if (place.depth > maxDepth) throw new Fault(`nests values more than ${maxDepth} deep`);
    open.add(current);
    const converted = convertContainer(current, (inner, key) =>
      convert(inner, isWhole(inner) ? place : { outer: place, key, depth: place.depth + 1 }),
    );
    open.delete(current);
    finished.set(current, converted);
    return converted;
  };

  const convertHandle = (handle: Handle, place: Place): unknown => {
    if (handle instanceof NumpyArray) return convert(handle.value, place);
    if (handle instanceof Storage) return storageTensor(handle, world);
    if (handle instanceof ScriptObject)
      throw new Fault(`holds ${handle.name} as a value; a checkpoint holds only tensors and plain values`);
    let object = finished.get(handle) as PyObject | undefined;
    if (object === undefined) {
      object = new PyObject(pythonName(handle.name));
      finished.set(handle, object);
      if (handle instanceof Inert) later.push({ inert: handle, object });
      if (handle instanceof NumpyDtype) object.args = PyTuple.of(handle.code);
    }
    if (!inside && unread.length < maxUnread) unread.push({ key: keyOf(place), className: object.className });
    return object;
  };

  const result = convert(value, { key: '', depth: 0 });
  inside = true;
  for (let next = later.pop(); next !== undefined; next = later.pop()) {
    const { inert, object } = next;
    const inner = (part: unknown): unknown => convert(part, { key: '', depth: 0 });
    object.args = PyTuple.from(inert.args, inner);
    object.state = inner(inert.state);
    object.items = inert.items.map(inner);
    object.entries = inert.entries.map(inner);
  }
  return result;
}

/** Tells whether a value is not a container; such a value needs no place of its own. */
const isWhole = (value: unknown): boolean => typeof value !== 'object' || value === null;

function keyOf(place: Place): string {
  const keys: string[] = [];
  for (let at: Place | undefined = place; at?.outer !== undefined; at = at.outer)
    keys.unshift(String(at.key).slice(0, 100));
  return keys.join('.');
}

/**
 * Makes a tensor of one dimension from a storage that is itself a value. Its dtype is that of the storage class, or
 * uint8.
 */
function storageTensor(storage: Storage, { tensors }: Pick<CheckpointWorld, 'tensors'>): object {
  const dtype = storage.dtype !== null && dtypes.has(storage.dtype) ? storage.dtype : 'uint8';
  const size = elementSize(dtype);
  const count = Math.floor(storage.bytes / size);
  return tensors.make({
    key: storage.key,
    dtype,
    recordBytes: storage.bytes,
    offset: 0,
    shape: [count],
    stride: [1],
    requiresGrad: false,
  });
}

type Container = unknown[] | Set<unknown> | Dict;

const isContainer = (value: unknown): value is Container =>
  Array.isArray(value) || value instanceof Set || value instanceof Dict;

/** Converts a tuple. It is faster than PyTuple.from. */
function convertTuple(container: PyTuple, convert: (inner: unknown, key: unknown) => unknown): PyTuple {
  const tuple = new PyTuple();
  for (let i = 0; i < container.length; i++) tuple.push(convert(container[i], i));
  return tuple;
}

function convertContainer(container: Container, convert: (inner: unknown, key: unknown) => unknown): unknown {
  if (container instanceof PyTuple) return convertTuple(container, convert);
  if (Array.isArray(container)) return container.map(convert);
  if (container instanceof Set) return new Set(Array.from(container, convert));
  const entries = Array.from(container, ([key, value]) => [convert(key, 'key'), convert(value, key)] as const);
  if (entries.every(([key]) => typeof key === 'string')) {
    const target: object = container.ordered ? new OrderedDict() : {};
    for (const [key, value] of entries) defineEntry(target, key as string, value);
    return target;
  }
  if (entries.every(([key]) => Number.isInteger(key) || typeof key === 'bigint'))
    return new IntDict(entries as [number, unknown][]);
  return new Map(entries);
}
