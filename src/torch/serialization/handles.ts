import { PyTuple } from '../python_values';
import { Fault } from './fault';

/**
 * Things that live on a pickle's stack but are no values: functions, storages, numpy's dtypes. A checkpoint that holds
 * one as a value is refused.
 */
export abstract class Handle {
  constructor(readonly name: string) {}
}

/** A function that a pickle may call. Each of them only makes plain values or tensors. */
export class KnownFunction extends Handle {
  constructor(
    name: string,
    readonly call: (args: readonly unknown[]) => unknown,
  ) {
    super(name);
  }
}

/** An object whose attributes a pickle sets after it was made. */
export abstract class Stateful extends Handle {
  /** Sets the attributes that a pickle gives the object. */
  abstract setState(state: unknown): void;
}

/**
 * A storage class; `dtype` is null for UntypedStorage, whose tensors name their dtype themselves. Those of quantized
 * tensors have one that is not read.
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

/** A record's bytes, as a persistent id names them. */
export class Storage extends Handle {
  /**
   * @param dtype null for an UntypedStorage
   * @param elementBytes of an element of its class; 1 for an UntypedStorage
   * @param count elements of the record
   * @param start element at which it begins, when it is a view of the record, as those of the first torch versions
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

  /** Bytes of the record. */
  get bytes(): number {
    return this.count * this.elementBytes;
  }
}

/** The state of an object that takes a tuple. */
export function tupleState({ name }: Handle, state: unknown): PyTuple {
  if (state instanceof PyTuple) return state;
  throw new Fault(`is damaged: its pickle has a ${name} without its state`);
}

/** A numpy scalar's dtype: a kind letter and a size in bytes, such as `f8`. Its state says the byte order. */
export class NumpyDtype extends Stateful {
  littleEndian = true;

  constructor(readonly code: string) {
    super('numpy.dtype');
  }

  /** Takes the byte order of the dtype's state. */
  setState(state: unknown): void {
    this.littleEndian = tupleState(this, state)[1] !== '>';
  }
}

/** An object of a TorchScript archive: the name of its class, and its attributes. */
export class ScriptObject extends Stateful {
  state: unknown;

  /** Keeps the attributes as they are. */
  setState(state: unknown): void {
    this.state = state;
  }
}

/** A dict on the stack, and `dict`/`OrderedDict` told apart. Keys keep their types until the value is finished. */
export class Dict extends Map<unknown, unknown> {
  constructor(readonly ordered: boolean) {
    super();
  }
}
