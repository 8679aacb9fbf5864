import { CleanclipError } from '../errors';
import { operatorId } from './operator_ids';
import type { Namespaces } from './operators.gen';
import { invoke } from './tensor';

type Operator = (...args: unknown[]) => unknown;

/** The operator of a qualified name as a function, or undefined when libtorch has none. */
export function operator(qualified: string): Operator | undefined {
  const id = operatorId(qualified);
  return id < 0 ? undefined : (...args) => invoke(id, args);
}

/**
 * A prototype that makes an operator when its name is first asked for and puts it on the object itself, where V8 finds
 * it as fast as any property.
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
        throw new CleanclipError(`libtorch has no operator '${name}::${key}'.`, 'ERR_TORCH');
      }
      return found;
    }),
  ) as object;

/** Every operator of the dispatcher as `ops.<namespace>.<name>(…)`, as torch.ops in Python. */
export const ops: Namespaces = new Proxy<Record<string, object>>(
  {},
  {
    get: (known, key) => (typeof key === 'string' ? (known[key] ??= namespace(key)) : undefined),
  },
) as unknown as Namespaces;
