/** A tensor as a pickle describes it: a strided view of one record. Counts are in elements unless they say bytes. */
export interface TensorRecord {
  /** Name of the record: `data/<key>`. */
  readonly key: string;
  readonly dtype: string;
  /** Bytes that the record holds. */
  readonly recordBytes: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly requiresGrad: boolean;
  /** Lazy bits of complex tensors: the values are to be conjugated, negated. */
  readonly conj?: boolean;
  readonly neg?: boolean;
}

/** An array whose elements the pickle itself holds, as numpy's. */
export interface ArrayRecord extends Pick<TensorRecord, 'dtype' | 'shape' | 'stride'> {
  /** little-endian elements, as many as shape and strides reach */
  readonly bytes: Uint8Array;
}

/** What the pickle reader needs of the tensor layer. */
export interface TensorMaker {
  make(record: TensorRecord): object;
  /** A tensor with a copy of the elements. */
  fromArray(array: ArrayRecord): object;
  isTensor(value: unknown): boolean;
  setRequiresGrad(tensor: object, requiresGrad: boolean): void;
}
