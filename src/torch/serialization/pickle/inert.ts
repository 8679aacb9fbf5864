import { PyTuple } from '../../python_values';
import { Handle, Stateful } from '../handles';

/**
 * A class or function that is not known. Nothing of it is looked up, imported or run: what a pickle makes with it is an
 * {@link Inert}.
 */
export class UnknownGlobal extends Handle {}

/** What a pickle says of an object of a class that is not known. */
export class Inert extends Stateful {
  state: unknown;
  readonly items: unknown[] = [];
  readonly entries: unknown[] = [];

  /** @param args what Python would call the class or function with */
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

/** The tensors of kinds that are not read, by the functions that make them. */
const kinds: Readonly<Record<string, string>> = {
  _rebuild_sparse_tensor: 'sparse',
  _rebuild_qtensor: 'quantized',
  _rebuild_meta_tensor_no_storage: 'meta',
  _rebuild_nested_tensor: 'nested',
};

/** The name by which people know a class: without Python 2's modules. */
export function pythonName(name: string): string {
  const kind = /^torch\._utils\.(\w+)$/.exec(name)?.[1] ?? '';
  if (Object.hasOwn(kinds, kind)) return `torch.Tensor (${kinds[kind]})`;
  return name
    .replace(/^__builtin__\./, 'builtins.')
    .replace(/^copy_reg\./, 'copyreg.')
    .slice(0, 200);
}

/**
 * Collects the tensors that unknown functions were called with. Python might change them there, so that they may stand
 * nowhere else.
 * @param found gets them
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
  // small tuples are cheaper to look through again
  if (!(value instanceof PyTuple && value.length < 8)) seen.add(value);
  return value;
}
