import { PyTuple } from '../../python_values';
import { Handle, Stateful } from '../handles';

/**
 * A class or function that is not known. Nothing of it is looked up, imported or run. What a pickle makes with it is an
 * {@link Inert}.
 */
export class UnknownGlobal extends Handle {}

/** An object of an unknown class, as its pickle describes it. */
export class Inert extends Stateful {
  state: unknown;
  readonly items: unknown[] = [];
  readonly entries: unknown[] = [];

  /** @param args the arguments that Python would pass to the class or function */
  constructor(
    name: string,
    readonly args: readonly unknown[],
  ) {
    super(pythonName(name));
  }

  /** Keeps the state as it is. */
  setState(state: unknown): void {
    this.state = state;
  }
}

/** The kinds of tensors that are not read, by the function that makes them. */
const kinds: Readonly<Record<string, string>> = {
  _rebuild_sparse_tensor: 'sparse',
  _rebuild_qtensor: 'quantized',
  _rebuild_meta_tensor_no_storage: 'meta',
  _rebuild_nested_tensor: 'nested',
};

/**
 * Returns the common name of a class or function: the current module replaces that of Python 2. The name is cut to 200
 * characters.
 */
export function pythonName(name: string): string {
  const kind = /^torch\._utils\.(\w+)$/.exec(name)?.[1] ?? '';
  if (Object.hasOwn(kinds, kind)) return `torch.Tensor (${kinds[kind]})`;
  return name
    .replace(/^__builtin__\./, 'builtins.')
    .replace(/^copy_reg\./, 'copyreg.')
    .slice(0, 200);
}

/**
 * Collects the tensors in the arguments of an unknown function. Python might change these tensors there, so the
 * checkpoint must not use them elsewhere.
 * @param found collects the tensors
 * @param seen collects the containers visited, so that none is visited twice
 */
export function tensorsIn(
  value: unknown,
  isTensor: (value: unknown) => boolean,
  found: Set<unknown>,
  seen: Set<unknown>,
): void {
  const left = [value];
  while (left.length > 0) {
    const current = left.pop();
    if (isTensor(current)) found.add(current);
    else if (typeof current !== 'object' || current === null || seen.has(current)) continue;
    else if (current instanceof Map) left.push(...mark(current, seen).values());
    else if (Array.isArray(current) || current instanceof Set) for (const item of mark(current, seen)) left.push(item);
  }
}

function mark<T extends object>(value: T, seen: Set<unknown>): T {
  // small tuples are cheaper to visit again
  if (!(value instanceof PyTuple && value.length < 8)) seen.add(value);
  return value;
}
