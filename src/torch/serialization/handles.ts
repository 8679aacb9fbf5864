import { PyTuple } from '../python_values';
import { Fault } from './fault';

/**
 * An intermediate object on a pickle's stack that is not a value: a function, a storage or a numpy dtype. A checkpoint
 * that holds one as a value gets a {@link PyObject} or a tensor in its place, or is refused.
 */
export abstract class Handle {
  constructor(readonly name: string) {}
}

/** A function that a pickle may call. All of them only make plain values or tensors. */
export class KnownFunction extends Handle {
  constructor(
    name: string,
    readonly call: (args: readonly unknown[]) => unknown,
  ) {
    super(name);
  }
}

/** An object whose attributes the pickle sets after it has made the object. */
export abstract class Stateful extends Handle {
  /** Sets the attributes that a pickle gives the object. */
  abstract setState(state: unknown): void;
}

/**
 * A storage class of torch. `dtype` is null for UntypedStorage, whose tensors name their dtype themselves. Storage
 * classes of quantized tensors carry a dtype that is not read.
 */
export class StorageType extends Handle {
  constructor(
    name: string,
    readonly dtype: string | null,
    readonly elementBytes: number,
  ) {
    super(name);
  }
}

/** A reference to a record's bytes, made from a persistent id of the pickle. */
export class Storage extends Handle {
  /**
   * @param dtype null for an UntypedStorage
   * @param elementBytes bytes per element; 1 for an UntypedStorage
   * @param count number of elements in the record
   * @param start first element of a view, which the first torch versions wrote; else 0
   */
  constructor(
    readonly key: string,
    readonly dtype: string | null,
    readonly elementBytes: number,
    readonly count: number,
    readonly start: number,
  ) {
    super('torch.storage');
  }

  /** Size of the record in bytes. */
  get bytes(): number {
    return this.count * this.elementBytes;
  }
}

/**
 * Checks that the state of an object is a tuple, and returns it.
 * @throws Fault when it is anything else
 */
export function tupleState({ name }: Handle, state: unknown): PyTuple {
  if (state instanceof PyTuple) return state;
  throw new Fault(`is damaged: its pickle has a ${name} without its state`);
}

/** A numpy dtype: a kind letter and a size in bytes, such as `f8`. Its state gives the byte order. */
export class NumpyDtype extends Stateful {
  littleEndian = true;

  constructor(readonly code: string) {
    super('numpy.dtype');
  }

  /** Reads the byte order from the state of the dtype. */
  setState(state: unknown): void {
    this.littleEndian = tupleState(this, state)[1] !== '>';
  }
}

/** An object of a TorchScript archive: the name of its class and its attributes. */
export class ScriptObject extends Stateful {
  state: unknown;

  /** Keeps the attributes as they are. */
  setState(state: unknown): void {
    this.state = state;
  }
}

/**
 * A dict on the stack; `ordered` tells an OrderedDict from a dict. Keys keep their types until the value is finished.
 */
export class Dict extends Map<unknown, unknown> {
  constructor(readonly ordered: boolean) {
    super();
  }
}
