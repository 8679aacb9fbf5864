import { CleanclipError } from '../errors';
import { addon } from './addon';
import { typedOperators, typesVersion } from './operator_names.gen';

const ids = new Map<string, number>();

// Operators that libtorch 2.11 lacks, and those that give the same there.
const substitutes: Record<string, string> = {
  'aten::is_contiguous': 'aten::sym_is_contiguous',
  'aten::numel': 'aten::sym_numel',
  'aten::storage_offset': 'aten::sym_storage_offset',
};

/** @internal Returns the id of a qualified name, such as 'aten::add'; -1 when libtorch has no such operator. */
export function operatorId(name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    id = addon().findOperator(name);
    if (id < 0 && name in substitutes) id = addon().findOperator(substitutes[name]);
    ids.set(name, id);
  }
  return id;
}

/** @internal Returns what {@link operatorId} does, but throws {@link missingOperator} instead of returning -1. */
export function requireOperatorId(name: string): number {
  const id = operatorId(name);
  if (id < 0) throw missingOperator(name);
  return id;
}

let typed: ReadonlySet<string> | undefined;

/** @internal Says whether the types declare an operator of this qualified name. */
export const isTyped = (name: string): boolean => (typed ??= new Set(typedOperators.split('\n'))).has(name);

/** @internal The error of an operator that this libtorch lacks. The types may be of a version that has it. */
export function missingOperator(name: string): CleanclipError {
  const version = addon().libtorchVersion();
  const remedy = isTyped(name)
    ? ` The types list it because libtorch ${typesVersion} has it: set LIBTORCH to its folder and run ` +
      '"npx cleanclip setup".'
    : '';
  return new CleanclipError(`libtorch ${version} has no operator '${name}'.${remedy}`, 'ERR_TORCH');
}

/** @internal Returns the operators that the types declare and a libtorch of other `names` and `version` lacks. */
export function missingOperators(version: string, names: readonly string[]): string[] {
  if (version === typesVersion) return [];
  const known = new Set(names);
  return typedOperators.split('\n').filter((name) => !known.has(name));
}
