/**
 * Python's kinds of values that JavaScript has no word for. Reading gives them where Python had them; writing
 * understands them.
 */

/**
 * A number that is written as a Python float even when it is integral: `new PyFloat(1)` becomes `1.0`. Reading gives
 * plain numbers.
 */
export class PyFloat {
  constructor(readonly value: number) {}
}

/**
 * An array that is written as a Python tuple: `PyTuple.of(0.9, 0.999)`. Tuples are read as one, so they stay tuples.
 */
export class PyTuple<T = unknown> extends Array<T> {}

/** An object that is written as a `collections.OrderedDict`, as Python's state dicts are. They are read as one. */
export class OrderedDict {
  [key: string]: unknown;

  /** @param entries keys and values in order, as `Object.entries` gives them */
  constructor(entries: Iterable<readonly [string, unknown]> = []) {
    for (const [key, value] of entries) defineEntry(this, key, value);
  }
}

/**
 * An object that is written as a dict whose keys are Python ints, as `optimizer["state"]` is: `new IntDict([[0,
 * state]])`. A dict that has only int keys is read as one.
 */
export class IntDict {
  [key: string]: unknown;

  /** @param entries integer keys and their values */
  constructor(entries: Iterable<readonly [number | bigint, unknown]> = []) {
    for (const [key, value] of entries) defineEntry(this, String(key), value);
  }
}

/**
 * An object of a Python class that is neither a tensor nor a plain value, or such a class or function itself: what a
 * file says of it. Nothing of the class was imported or run. Reading gives them; they cannot be written.
 */
export class PyObject {
  /** what its class would be called with */
  args: unknown = [];
  /** its attributes, usually an object of them; undefined without any */
  state: unknown;
  /** what was appended to it, or added */
  items: unknown[] = [];
  /** keys and values that were set in it, one after another */
  entries: unknown[] = [];

  /** @param className full name of the class, or function, in Python */
  constructor(readonly className: string) {}
}

/** Sets an own property, whatever its name: a plain assignment to `__proto__` would change the object's prototype. */
export function defineEntry(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
