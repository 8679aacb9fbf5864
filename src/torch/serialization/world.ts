import { Fault, shown } from './fault';
import { knownGlobals, storageOf } from './pickle/globals';
import { tensorsIn, UnknownGlobal } from './pickle/inert';
import type { PickleWorld } from './pickle/machine';
import type { TensorMaker } from './tensor_record';

/**
 * Well-formed pickles copy each of their bytes into at most one collection; repeating a copy by reference could
 * otherwise fill any memory.
 */
export function allowance(total: number): (amount: number) => void {
  let left = total;
  return (amount) => {
    left -= amount;
    if (left < 0) throw new Fault('makes more values than its size allows');
  };
}

/** More classes than the packages of any program have in a checkpoint. */
const maxUnknown = 2 ** 14;

/**
 * What the pickle of a checkpoint names, and what its storages are. Names that are not known stand for nothing but
 * themselves.
 * @param tensors makes the tensors
 * @param size bytes of the pickle
 * @param more further names, or undefined for those that it does not know either; given, all others are refused
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

/** With what {@link toPlain} asks for. */
export interface CheckpointWorld extends PickleWorld {
  /** the tensors that functions were called with that are not known */
  readonly handed: ReadonlySet<unknown>;
  readonly tensors: TensorMaker;
}
