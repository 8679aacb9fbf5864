import { CleanclipError } from '../errors';
import type { Namespaces } from './operators.gen';
import { invoke, operatorId } from './tensor';

type Operator = (...args: unknown[]) => unknown;

/** The operator of a qualified name as a function, or undefined when libtorch has none. */
export function operator(qualified: string): Operator | undefined {
  const id = operatorId(qualified);
  return id < 0 ? undefined : (...args) => invoke(id, args);
}

function namespace(name: string): Record<string, Operator> {
  return new Proxy({} as Record<string, Operator>, {
    get(known, key) {
      if (typeof key !== 'string') return undefined;
      const found = (known[key] ??= operator(`${name}::${key}`) as Operator);
      if (found === undefined && key !== 'then') {
        throw new CleanclipError(`libtorch has no operator '${name}::${key}'.`, 'ERR_TORCH');
      }
      return found;
    },
  });
}

/** Every operator of the dispatcher as `ops.<namespace>.<name>(…)`, as torch.ops in Python. */
export const ops: Namespaces = new Proxy({} as Record<string, unknown>, {
  get: (known, key) => (typeof key === 'string' ? (known[key] ??= namespace(key)) : undefined),
}) as unknown as Namespaces;
