/** Things that live on a pickle's stack but are no values: functions, storages, numpy's dtypes. A checkpoint that holds one as a value is refused. */
export abstract class Handle {
  constructor(readonly name: string) {}
}

/** A thing that a pickle gives a state after making it. */
export abstract class Stateful extends Handle {
  abstract setState(state: readonly unknown[]): void;
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

/** A storage class; `dtype` is null for UntypedStorage, whose tensors name their dtype themselves. */
export class StorageType extends Handle {
  constructor(
    name: string,
    readonly dtype: string | null,
  ) {
    super(name);
  }
}

/** A record's bytes, as a persistent id names them. */
export class Storage extends Handle {
  constructor(
    readonly key: string,
    readonly dtype: string | null,
    readonly bytes: number,
  ) {
    super('torch.storage');
  }
}

/** A numpy scalar's dtype: a kind letter and a size in bytes, such as `f8`. */
export class NumpyDtype extends Stateful {
  littleEndian = true;

  constructor(readonly code: string) {
    super('numpy.dtype');
  }

  override setState(state: readonly unknown[]): void {
    this.littleEndian = state[1] !== '>';
  }
}

/** A dict on the stack, and `dict`/`OrderedDict` told apart. Keys keep their types until the value is finished. */
export class Dict extends Map<unknown, unknown> {
  constructor(readonly ordered: boolean) {
    super();
  }
}
