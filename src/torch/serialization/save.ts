import { checkText, CleanclipError, optionError } from '../../errors';
import { writeFully, writeWhole } from '../../files';
import { addon } from '../addon';
import { noGrad } from '../autograd';
import { tidy } from '../scope';
import { Tensor } from '../tensor';
import { dtypes } from './dtypes';
import { safetensorsWriter } from './formats/safetensors';
import { writePickle } from './pickle/writer';
import { elementSize, placeTensors, type Run, type StoredTensor } from './placement';
import { writeElements } from './tensor_bytes';
import type { TensorRecord } from './tensor_record';
import { ZipWriter } from './zip/writer';

const archive = 'archive';

/**
 * Writes a checkpoint. The file appears whole or not at all; memory stays flat.
 *
 * A path that ends with `.safetensors` gets that format: `value` is a flat object of tensors then, of which dtype,
 * shape and elements are kept.
 *
 * Any other gets tensors and plain values so that Python opens them with `torch.load(path, weights_only=True)`, as
 * `torch.save` does (zip format, version 3). Plain objects become dicts, arrays lists, null None, integral numbers ints
 * (wrap them in PyFloat for floats), Uint8Arrays bytes. PyTuple, OrderedDict, IntDict, Map and Set become what their
 * names say. Tensors of every dense dtype keep dtype, shape, strides and requires_grad; those that share memory share
 * it in the file. Tensors of other devices are written as CPU tensors.
 *
 * @param value tensors and plain values, nested
 * @param path the file, usually `*.pt`; missing folders are made
 * @param options.metadata texts by their names, for the header of a `.safetensors` file
 * @throws CleanclipError `ERR_OPTION` naming the place of a value that cannot be saved; nothing is written then;
 * `ERR_CHECKPOINT` when the disk refuses
 */
export function save(value: unknown, path: string, { metadata }: { metadata?: Record<string, string> } = {}): void {
  checkText('The path of torch.save', path);
  noGrad(() =>
    tidy(() => {
      const write = path.endsWith('.safetensors') ? safetensorsWriter(value, metadata) : archiveWriter(value);
      try {
        writeWhole(path, write);
      } catch (error) {
        throw new CleanclipError((error as Error).message, 'ERR_CHECKPOINT', { cause: error });
      }
    }),
  );
}

/** Looks at the whole value, and returns what writes it. */
function archiveWriter(value: unknown): (fd: number) => void {
  const stored = new Map<object, SavedTensor>();
  writePickle(value, (object) => {
    if (!(object instanceof Tensor)) return undefined;
    if (!stored.has(object)) stored.set(object, describe(object));
    return placeholder;
  });
  const { runs, runOf } = placeTensors([...stored.values()]);
  const keys = new Map(runs.map((run, i) => [run, String(i)]));
  const pickle = writePickle(value, (object) => {
    const tensor = stored.get(object);
    return tensor && recordOf(tensor, runOf.get(tensor)!, keys);
  });
  return (fd) => writeArchive(fd, pickle, runs);
}

interface SavedTensor extends StoredTensor {
  readonly tensor: Tensor;
  readonly requiresGrad: boolean;
}

function describe(original: Tensor): SavedTensor {
  const tensor = original.detach().resolve_conj().resolve_neg();
  const { dtype } = tensor;
  if (!dtypes.has(dtype))
    throw optionError(`Tensors of dtype ${dtype} cannot be saved; dequantize or convert them first.`);
  return {
    tensor,
    storage: addon().storageKey(tensor.handle),
    dtype,
    offset: tensor.storage_offset(),
    shape: tensor.shape,
    stride: tensor.strides,
    requiresGrad: original.requiresGrad,
  };
}

function recordOf(tensor: SavedTensor, run: Run<SavedTensor>, keys: Map<Run<SavedTensor>, string>): TensorRecord {
  const { dtype, shape, stride, requiresGrad } = tensor;
  const recordBytes = run.count * elementSize(dtype);
  return { key: keys.get(run)!, dtype, recordBytes, offset: tensor.offset - run.start, shape, stride, requiresGrad };
}

/** Stands for a tensor while the first pass looks for tensors. */
const placeholder: TensorRecord = {
  key: '',
  dtype: 'uint8',
  recordBytes: 0,
  offset: 0,
  shape: [0],
  stride: [1],
  requiresGrad: false,
};

/** Records in torch's order; `.format_version` 1 promises that order and the alignment. */
function writeArchive(fd: number, pickle: Buffer, runs: readonly Run<SavedTensor>[]): void {
  const zip = new ZipWriter((bytes, position) => writeFully(fd, bytes, position));
  const add = (name: string, bytes: Uint8Array): void => zip.add(`${archive}/${name}`, bytes);
  add('data.pkl', pickle);
  add('.format_version', Buffer.from('1'));
  add('.storage_alignment', Buffer.from('64'));
  add('byteorder', Buffer.from('little'));
  zip.addWritten(
    runs.map(({ owner: { dtype }, count }, i) => ({ name: `${archive}/data/${i}`, size: count * elementSize(dtype) })),
    (positions) =>
      writeElements(
        fd,
        runs.map(({ owner: { tensor }, start, count }, i) => ({ position: positions[i], tensor, start, count })),
      ),
  );
  add('version', Buffer.from('3\n'));
  zip.finish();
}
