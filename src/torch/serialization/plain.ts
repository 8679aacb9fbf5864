import { Fault, maxDepth } from './fault';
import { Dict, Handle } from './handles';
import { defineEntry, IntDict, OrderedDict, PyTuple } from './values';

/**
 * Turns what the pickle machine built into plain JavaScript: a dict with text keys becomes an object (or an {@link OrderedDict}), one with int keys
 * an {@link IntDict}, any other a Map. What was one object in Python stays one object.
 */
export function toPlain(value: unknown): unknown {
  const finished = new Map<unknown, unknown>();
  const open = new Set<unknown>();

  const convert = (current: unknown, depth: number): unknown => {
    if (current instanceof Handle) throw new Fault(`holds ${current.name} as a value; a checkpoint holds only tensors and plain values`);
    if (!isContainer(current)) return current;
    if (finished.has(current)) return finished.get(current);
    if (open.has(current)) throw new Fault('holds a value that contains itself');
    if (depth > maxDepth) throw new Fault(`nests values more than ${maxDepth} deep`);
    open.add(current);
    const converted = convertContainer(current, (inner) => convert(inner, depth + 1));
    open.delete(current);
    finished.set(current, converted);
    return converted;
  };
  return convert(value, 0);
}

type Container = unknown[] | Set<unknown> | Dict;

const isContainer = (value: unknown): value is Container => Array.isArray(value) || value instanceof Set || value instanceof Dict;

function convertContainer(container: Container, convert: (inner: unknown) => unknown): unknown {
  if (container instanceof PyTuple) return PyTuple.from(container, convert);
  if (Array.isArray(container)) return container.map(convert);
  if (container instanceof Set) return new Set(Array.from(container, convert));
  const entries = Array.from(container, ([key, value]) => [convert(key), convert(value)] as const);
  if (entries.every(([key]) => typeof key === 'string')) {
    const target: object = container.ordered ? new OrderedDict() : {};
    for (const [key, value] of entries) defineEntry(target, key as string, value);
    return target;
  }
  if (entries.every(([key]) => Number.isInteger(key) || typeof key === 'bigint')) return new IntDict(entries as [number, unknown][]);
  return new Map(entries);
}
