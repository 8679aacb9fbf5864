/**
 * A tensor as a pickle describes it: a strided view of one record. Counts are in elements unless their names say bytes.
 */
export interface TensorRecord {
  /** key of the record, which is named `data/<key>` */
  readonly key: string;
  readonly dtype: string;
  /** size of the record in bytes */
  readonly recordBytes: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly requiresGrad: boolean;
  /** lazy bits of complex tensors: the values are yet to be conjugated, or negated */
  readonly conj?: boolean;
  readonly neg?: boolean;
}

/** An array whose elements the pickle itself holds, such as an array of numpy. */
export interface ArrayRecord extends Pick<TensorRecord, 'dtype' | 'shape' | 'stride'> {
  /** the elements, little-endian, as many as shape and strides reach */
  readonly bytes: Uint8Array;
}

/** What the pickle reader needs from the tensor layer. */
export interface TensorMaker {
  make(record: TensorRecord): object;
  /** Makes a tensor with a copy of the elements. */
  fromArray(array: ArrayRecord): object;
  isTensor(value: unknown): boolean;
  setRequiresGrad(tensor: object, requiresGrad: boolean): void;
}
