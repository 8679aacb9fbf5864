/** How a file stores and names a dtype. */
export interface DtypeLayout {
  /** bytes per element */
  readonly bytes: number;
  /** the storage class that names it in a pickle; absent for newer dtypes, which have no such class */
  readonly storage?: string;
  /** its name in safetensors; absent when that format does not hold it */
  readonly safetensors?: string;
}

/** The dtypes of dense tensors, by name. Source: `_dtype_to_storage_type_map` and `_new_dtypes` of torch.storage. */
export const dtypes: ReadonlyMap<string, DtypeLayout> = new Map<string, DtypeLayout>([
  ['float64', { bytes: 8, storage: 'DoubleStorage', safetensors: 'F64' }],
  ['float32', { bytes: 4, storage: 'FloatStorage', safetensors: 'F32' }],
  ['float16', { bytes: 2, storage: 'HalfStorage', safetensors: 'F16' }],
  ['bfloat16', { bytes: 2, storage: 'BFloat16Storage', safetensors: 'BF16' }],
  ['int64', { bytes: 8, storage: 'LongStorage', safetensors: 'I64' }],
  ['int32', { bytes: 4, storage: 'IntStorage', safetensors: 'I32' }],
  ['int16', { bytes: 2, storage: 'ShortStorage', safetensors: 'I16' }],
  ['int8', { bytes: 1, storage: 'CharStorage', safetensors: 'I8' }],
  ['uint8', { bytes: 1, storage: 'ByteStorage', safetensors: 'U8' }],
  ['bool', { bytes: 1, storage: 'BoolStorage', safetensors: 'BOOL' }],
  ['complex64', { bytes: 8, storage: 'ComplexFloatStorage', safetensors: 'C64' }],
  ['complex128', { bytes: 16, storage: 'ComplexDoubleStorage' }],
  ['complex32', { bytes: 4 }],
  ['uint16', { bytes: 2, safetensors: 'U16' }],
  ['uint32', { bytes: 4, safetensors: 'U32' }],
  ['uint64', { bytes: 8, safetensors: 'U64' }],
  ['float8_e4m3fn', { bytes: 1, safetensors: 'F8_E4M3' }],
  ['float8_e5m2', { bytes: 1, safetensors: 'F8_E5M2' }],
]);
