/** How a dtype lies in a file: bytes an element, and the legacy storage class that names it (none for dtypes younger than those). */
export interface DtypeLayout {
  readonly bytes: number;
  readonly storage?: string;
}

/** The dtypes of dense tensors. Source: `_dtype_to_storage_type_map` and `_new_dtypes` of torch.storage. */
export const dtypes: ReadonlyMap<string, DtypeLayout> = new Map<string, DtypeLayout>([
  ['float64', { bytes: 8, storage: 'DoubleStorage' }],
  ['float32', { bytes: 4, storage: 'FloatStorage' }],
  ['float16', { bytes: 2, storage: 'HalfStorage' }],
  ['bfloat16', { bytes: 2, storage: 'BFloat16Storage' }],
  ['int64', { bytes: 8, storage: 'LongStorage' }],
  ['int32', { bytes: 4, storage: 'IntStorage' }],
  ['int16', { bytes: 2, storage: 'ShortStorage' }],
  ['int8', { bytes: 1, storage: 'CharStorage' }],
  ['uint8', { bytes: 1, storage: 'ByteStorage' }],
  ['bool', { bytes: 1, storage: 'BoolStorage' }],
  ['complex64', { bytes: 8, storage: 'ComplexFloatStorage' }],
  ['complex128', { bytes: 16, storage: 'ComplexDoubleStorage' }],
  ['complex32', { bytes: 4 }],
  ['uint16', { bytes: 2 }],
  ['uint32', { bytes: 4 }],
  ['uint64', { bytes: 8 }],
  ['float8_e4m3fn', { bytes: 1 }],
  ['float8_e5m2', { bytes: 1 }],
]);
