import { Fault, shown } from './fault';
import { knownGlobals, storageOf } from './globals';
import type { PickleWorld } from './pickle_reader';
import type { TensorMaker } from './tensor_record';

/** Well-formed pickles copy each of their bytes into at most one collection; repeating a copy by reference could otherwise fill any memory. */
export function allowance(total: number): (amount: number) => void {
  let left = total;
  return (amount) => {
    left -= amount;
    if (left < 0) throw new Fault('makes more values than its size allows');
  };
}

/**
 * All that the pickle of a checkpoint may name, and what its storages are.
 * @param tensors makes the tensors
 * @param size bytes of the pickle
 * @param more further names, or undefined for those that it does not know either
 */
export function checkpointWorld(tensors: TensorMaker, size: number, more: (name: string) => unknown = () => undefined): PickleWorld {
  const globals = knownGlobals(tensors, allowance(size));
  return {
    global: (name) => {
      const value = globals.get(name) ?? more(name);
      if (value === undefined) {
        throw new Fault(
          `names ${shown(name)}; a checkpoint holds only tensors and plain values, so nothing of it was run or loaded. ` +
            'If you trust the file, save it again in Python without that object',
        );
      }
      return value;
    },
    persistent: storageOf,
  };
}
