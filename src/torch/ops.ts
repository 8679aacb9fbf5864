import { isTyped, missingOperator, operatorId } from './operator_ids';
import type { Namespaces } from './operators.gen';
import { invoke } from './tensor';

type Operator = (...args: unknown[]) => unknown;

/**
 * Returns the operator of a qualified name as a function; undefined when there is none. One that the types declare and
 * this libtorch lacks throws CleanclipError `ERR_TORCH` when it is called.
 */
export function operator(qualified: string): Operator | undefined {
  const id = operatorId(qualified);
  if (id >= 0) return (...args) => invoke(id, args);
  if (!isTyped(qualified)) return undefined;
  return () => {
    throw missingOperator(qualified);
  };
}

/**
 * Returns a prototype that makes an operator when its name is first read. It sets the operator on the object itself,
 * where V8 finds it as fast as any property.
 */
export function operatorsOnDemand(find: (name: string) => Operator | undefined): object {
  return new Proxy(Object.create(null) as object, {
    get(_, name, receiver: object) {
      const found = typeof name === 'string' ? find(name) : undefined;
      if (found !== undefined) Object.defineProperty(receiver, name, { value: found });
      return found;
    },
  });
}

const namespace = (name: string): object =>
  Object.create(
    operatorsOnDemand((key) => {
      const found = operator(`${name}::${key}`);
      if (found === undefined && key !== 'then') {
        throw missingOperator(`${name}::${key}`);
      }
      return found;
    }),
  ) as object;

/**
 * Has every operator of libtorch's dispatcher as `ops.<namespace>.<name>(…)` (torch.ops). An operator takes its
 * arguments by position, then one object of those by name. An unknown name throws CleanclipError `ERR_TORCH`.
 */
export const ops: Namespaces = new Proxy<Record<string, object>>(
  {},
  {
    get: (known, key) => (typeof key === 'string' ? (known[key] ??= namespace(key)) : undefined),
  },
) as unknown as Namespaces;
