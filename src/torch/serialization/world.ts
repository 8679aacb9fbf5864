import { Fault, shown } from './fault';
import { knownGlobals, storageOf } from './pickle/globals';
import { tensorsIn, UnknownGlobal } from './pickle/inert';
import type { PickleWorld } from './pickle/machine';
import type { TensorMaker } from './tensor_record';

/**
 * Makes a budget for what a pickle copies: each call takes an amount from `total`. Well-formed pickles copy each of
 * their bytes into at most one collection. Repeating a copy by reference could otherwise fill any memory.
 * @throws Fault, from the returned function, when the budget is spent
 */
export function allowance(total: number): (amount: number) => void {
  let left = total;
  return (amount) => {
    left -= amount;
    if (left < 0) throw new Fault('makes more values than its size allows');
  };
}

/** The most unknown classes that a checkpoint may name, far more than any program uses. */
const maxUnknown = 2 ** 14;

/**
 * Gives a meaning to the names and storages in the pickle of a checkpoint. A name that is not known stands for itself
 * only.
 * @param tensors makes the tensors
 * @param size bytes of the pickle
 * @param more gives the meaning of further names, or undefined for names that it does not know either; when it is
 * given, all other names are refused
 */
export function checkpointWorld(tensors: TensorMaker, size: number, more?: (name: string) => unknown): CheckpointWorld {
  const globals = knownGlobals(tensors, allowance(size));
  const unknown = new Map<string, UnknownGlobal>();
  const handed = new Set<unknown>();
  const seen = new Set<unknown>();
  return {
    global: (name) => {
      const value = globals.get(name) ?? more?.(name) ?? unknown.get(name);
      if (value !== undefined) return value;
      if (more) throw new Fault(`names ${shown(name)}, which has no place there, so nothing of it was run or loaded`);
      if (unknown.size >= maxUnknown) throw new Fault(`names more than ${maxUnknown} classes that are not known`);
      const made = new UnknownGlobal(shown(name));
      unknown.set(name, made);
      return made;
    },
    persistent: storageOf,
    called: (args) => tensorsIn(args, (value) => tensors.isTensor(value), handed, seen),
    handed,
    tensors,
  };
}

/** The world of a checkpoint, with what {@link toPlain} needs. */
export interface CheckpointWorld extends PickleWorld {
  /** the tensors that were passed to unknown functions */
  readonly handed: ReadonlySet<unknown>;
  readonly tensors: TensorMaker;
}
