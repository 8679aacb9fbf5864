import { PyTuple } from '../../python_values';
import { dtypes } from '../dtypes';
import { Fault } from '../fault';
import { Dict, KnownFunction, NumpyDtype, Storage, StorageType } from '../handles';
import type { TensorMaker } from '../tensor_record';
import { Inert, UnknownGlobal } from './inert';
import { arrayOf, NumpyArray } from './numpy_array';
import { numpyScalar } from './numpy_scalar';

type Args = readonly unknown[];

/** Registers a function under its full name in Python. */
type Define = (name: string, call: (args: Args) => unknown) => void;

/** Is told how many items or characters a call copies, and limits their sum. */
type Spend = (amount: number) => void;

/**
 * Makes the table of every class and function of a checkpoint that is known, by full name in Python. Nothing else is
 * ever looked up, imported or called.
 *
 * @param tensors makes the tensors
 * @param spend is told how many items or characters a call copies, and limits their sum
 */
export function knownGlobals(tensors: TensorMaker, spend: Spend): ReadonlyMap<string, unknown> {
  const known = new Map<string, unknown>(types());
  const define: Define = (name, call) => void known.set(name, new KnownFunction(name, call));
  defineTensors(define, tensors);
  defineTorchValues(define, spend);
  defineCollections(define, spend);
  defineBytes(define, spend);
  defineObjects(define);
  defineNumpy(define, tensors);
  return known;
}

/** Lists the dtypes and storage classes of torch. */
function* types(): Iterable<[string, unknown]> {
  for (const [dtype, { storage, bytes: size }] of dtypes) {
    yield [`torch.${dtype}`, dtype];
    if (storage) yield [`torch.${storage}`, new StorageType(`torch.${storage}`, dtype, size)];
  }
  for (const [storage, size] of Object.entries(quantized))
    yield [`torch.${storage}`, new StorageType(`torch.${storage}`, storage, size)];
  yield ['torch.storage.UntypedStorage', new StorageType('torch.storage.UntypedStorage', null, 1)];
}

function defineTensors(define: Define, tensors: TensorMaker): void {
  define('torch._utils._rebuild_tensor', ([storage, offset, shape, stride]) =>
    rebuild(tensors, { storage, offset, shape, stride, requiresGrad: false }),
  );
  define('torch._utils._rebuild_tensor_v2', ([storage, offset, shape, stride, requiresGrad, , metadata]) =>
    rebuild(tensors, { storage, offset, shape, stride, requiresGrad, metadata }),
  );
  define('torch._utils._rebuild_tensor_v3', ([storage, offset, shape, stride, requiresGrad, , dtype, metadata]) =>
    rebuild(tensors, { storage, offset, shape, stride, requiresGrad, dtype, metadata }),
  );
  for (const name of ['_rebuild_parameter', '_rebuild_parameter_with_state']) {
    define(`torch._utils.${name}`, ([tensor, requiresGrad]) => {
      if (!tensors.isTensor(tensor)) throw wrongArguments('a parameter');
      tensors.setRequiresGrad(tensor as object, requiresGrad === true);
      return tensor;
    });
  }
  // A subclass of Tensor, or a tensor with attributes, loses its type and attributes here.
  define('torch._tensor._rebuild_from_type_v2', ([make, , args]) => {
    if (make instanceof UnknownGlobal) return new Inert(make.name, Array.isArray(args) ? args : []);
    if (!(make instanceof KnownFunction) || !(args instanceof PyTuple)) throw wrongArguments('a tensor');
    return make.call(args);
  });
  for (const name of ['_rebuild_device_tensor_from_numpy', '_rebuild_xla_tensor']) {
    define(`torch._utils.${name}`, ([array, , , requiresGrad]) => {
      const tensor = array instanceof NumpyArray ? array.value : undefined;
      if (!tensors.isTensor(tensor)) throw wrongArguments('a tensor');
      tensors.setRequiresGrad(tensor as object, requiresGrad === true);
      return tensor;
    });
  }
}

function defineTorchValues(define: Define, spend: Spend): void {
  for (const name of ['torch.torch_version.TorchVersion', 'torch.serialization._get_layout']) {
    define(name, ([text]) => {
      if (typeof text !== 'string') throw wrongArguments('a version or a layout');
      return text.replace(/^torch\./, '');
    });
  }
  define('torch.Size', ([sizes]) => PyTuple.from(itemsOf(sizes, spend)));
  define('torch.device', ([type, index]) => {
    if (typeof type !== 'string' || type.length > 32) throw wrongArguments('a device');
    return index === undefined ? type : `${type}:${naturalNumber(index)}`;
  });
}

function defineCollections(define: Define, spend: Spend): void {
  define('collections.OrderedDict', ([pairs]) => {
    const dict = new Dict(true);
    for (const pair of itemsOf(pairs, spend)) {
      if (!Array.isArray(pair) || pair.length !== 2) throw wrongArguments('an OrderedDict');
      dict.set(pair[0], pair[1]);
    }
    return dict;
  });
  define('collections.defaultdict', () => new Dict(false)); // its entries follow
  define('collections.deque', ([members]) => [...itemsOf(members, spend)]);
  define('collections.Counter', ([counts]) => {
    if (counts !== undefined && !(counts instanceof Dict)) throw wrongArguments('a Counter');
    const dict = new Dict(false);
    spend(counts?.size ?? 0);
    for (const [key, count] of counts ?? []) dict.set(key, count);
    return dict;
  });
  for (const module of ['builtins', '__builtin__']) {
    for (const name of ['set', 'frozenset'])
      define(`${module}.${name}`, ([members]) => new Set(itemsOf(members, spend)));
  }
}

function defineBytes(define: Define, spend: Spend): void {
  const bytes = ([content, encoding]: Args): Uint8Array => {
    if (content === undefined) return new Uint8Array();
    if (typeof content !== 'string' && !ArrayBuffer.isView(content)) throw wrongArguments('bytes');
    spend(typeof content === 'string' ? content.length : content.byteLength);
    if (typeof content !== 'string') return new Uint8Array(content as Uint8Array);
    if (encoding !== 'latin1' && encoding !== 'latin-1') throw wrongArguments('bytes');
    return new Uint8Array(Buffer.from(content, 'latin1'));
  };
  define('_codecs.encode', bytes);
  for (const module of ['builtins', '__builtin__']) {
    define(`${module}.bytes`, bytes);
    define(`${module}.bytearray`, bytes);
  }
}

function defineObjects(define: Define): void {
  for (const module of ['copyreg', 'copy_reg']) {
    define(`${module}._reconstructor`, ([type, , state]) => {
      if (!(type instanceof UnknownGlobal)) throw wrongArguments('an object');
      return new Inert(type.name, state === null ? [] : [state]);
    });
  }
}

function defineNumpy(define: Define, tensors: TensorMaker): void {
  define('numpy.dtype', ([code]) => {
    if (typeof code !== 'string') throw wrongArguments('a numpy dtype');
    return new NumpyDtype(code);
  });
  for (const module of ['numpy.core.multiarray', 'numpy._core.multiarray']) {
    define(`${module}.scalar`, ([dtype, content]) => numpyScalar(dtype, content));
    define(`${module}._reconstruct`, ([type]) => {
      const isArray = type instanceof UnknownGlobal && type.name === 'numpy.ndarray';
      return isArray
        ? new NumpyArray(tensors)
        : new Inert(type instanceof UnknownGlobal ? type.name : 'numpy.ndarray', []);
    });
  }
  for (const module of ['numpy.core.numeric', 'numpy._core.numeric']) {
    define(`${module}._frombuffer`, ([content, dtype, shape, order]) =>
      arrayOf(tensors, { shape, dtype, columnMajor: order === 'F', content }),
    );
  }
}

/** Returns the items of a list, a tuple or a set that a call copies. */
function itemsOf(value: unknown, spend: Spend): readonly unknown[] {
  const list = value === undefined ? [] : value instanceof Set ? [...value] : value;
  if (!Array.isArray(list)) throw wrongArguments('a collection');
  spend(list.length);
  return list;
}

/** The storage classes of quantized tensors, with bytes per element. */
const quantized = { QInt8Storage: 1, QUInt8Storage: 1, QInt32Storage: 4, QUInt4x2Storage: 1, QUInt2x4Storage: 1 };

/** The longest key of a record, in characters. torch numbers records from 0, so its keys are short. */
const maxKeyLength = 64;

/**
 * Makes a storage from a persistent id `("storage", class, key, location, elements)`. The older format adds `None`, or
 * `(key, first element, elements)` of a view, at the end. The location is ignored, since tensors are read to the CPU.
 */
export function storageOf(id: unknown): Storage | UnknownGlobal {
  const [kind, type, key, , count, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind === 'module' && type instanceof UnknownGlobal) return type; // a class, followed by its source code
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || key.length > maxKeyLength) {
    throw new Fault('is damaged: its pickle refers to something that is not a storage');
  }
  return new Storage(
    key,
    type.dtype,
    type.elementBytes,
    naturalNumber(count),
    Array.isArray(view) ? naturalNumber(view[1]) : 0,
  );
}

interface RebuildArguments {
  readonly storage: unknown;
  readonly offset: unknown;
  readonly shape: unknown;
  readonly stride: unknown;
  readonly requiresGrad: unknown;
  readonly dtype?: unknown;
  readonly metadata?: unknown;
}

function rebuild(
  tensors: TensorMaker,
  { storage, offset, shape, stride, requiresGrad, dtype, metadata }: RebuildArguments,
): object {
  if (!(storage instanceof Storage)) throw wrongArguments('a tensor');
  if (dtype instanceof UnknownGlobal)
    return new Inert(`torch.Tensor (${dtype.name})`, [storage, offset, shape, stride]);
  const name = dtype ?? storage.dtype;
  if (typeof name !== 'string' || !dtypes.has(name)) throw wrongArguments('a tensor');
  const bit = (key: string): boolean => metadata instanceof Dict && metadata.get(key) === true;
  return tensors.make({
    key: storage.key,
    dtype: name,
    recordBytes: storage.bytes,
    offset: storage.start + naturalNumber(offset),
    shape: naturalNumbers(shape),
    stride: naturalNumbers(stride),
    requiresGrad: requiresGrad === true,
    conj: bit('conj'),
    neg: bit('neg'),
  });
}

/** The most dimensions that torch itself handles. */
const maxDimensions = 64;

function naturalNumbers(value: unknown): number[] {
  if (!Array.isArray(value) || value.length > maxDimensions) throw wrongArguments('a tensor');
  return Array.from(value, naturalNumber);
}

function naturalNumber(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    const came = typeof value === 'number' || typeof value === 'bigint' ? value : typeof value;
    throw new Fault(`is damaged: a tensor's sizes, strides and offset are integers from 0, but one is ${came}`);
  }
  return value as number;
}

const wrongArguments = (what: string): Fault => new Fault(`is damaged: its pickle makes ${what} from the wrong values`);
