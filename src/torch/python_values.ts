// Values of Python for which JavaScript has no type, as `torch.load` returns and `torch.save` writes them.

/**
 * A number that `torch.save` writes as a Python float even when it is an integer: `new PyFloat(1)` becomes `1.0`.
 * `torch.load` returns floats as plain numbers.
 */
export class PyFloat {
  /** @param value the number */
  constructor(readonly value: number) {}
}

/** An array that stands for a Python tuple: `PyTuple.of(0.9, 0.999)`. */
export class PyTuple<T = unknown> extends Array<T> {}

/** An object that stands for a `collections.OrderedDict`, as Python's state dicts are. */
export class OrderedDict {
  [key: string]: unknown;

  /** @param entries keys and values in order, as `Object.entries` gives them */
  constructor(entries: Iterable<readonly [string, unknown]> = []) {
    for (const [key, value] of entries) defineEntry(this, key, value);
  }
}

/**
 * An object that stands for a dict whose keys are all Python ints, as `optimizer["state"]` is: `new IntDict([[0,
 * state]])`.
 */
export class IntDict {
  [key: string]: unknown;

  /** @param entries integer keys and their values */
  constructor(entries: Iterable<readonly [number | bigint, unknown]> = []) {
    for (const [key, value] of entries) defineEntry(this, String(key), value);
  }
}

/**
 * Records what a checkpoint says of a Python object that is neither a tensor nor a plain value, or of a class or
 * function. `torch.load` returns it; nothing of the class was imported or run. `torch.save` refuses to write it.
 */
export class PyObject {
  /** the arguments with which Python would call the class */
  args: unknown = [];
  /** its attributes, usually as an object; undefined when the file has none */
  state: unknown;
  /** what Python would append or add to it */
  items: unknown[] = [];
  /** what Python would set in it: key, value, key, value, … */
  entries: unknown[] = [];

  /** @param className the full name of the class or function in Python: 'torch.optim.sgd.SGD' */
  constructor(readonly className: string) {}
}

/** Sets an own property of any name; a plain assignment to `__proto__` would change the object's prototype. */
export function defineEntry(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
