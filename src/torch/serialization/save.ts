import { checkText, CleanclipError, optionError } from '../../errors';
import { writeWhole } from '../../files';
import { addon } from '../addon';
import { noGrad } from '../autograd';
import { tidy } from '../scope';
import { Tensor } from '../tensor';
import { dtypes } from './dtypes';
import { FileImage, type FileSink, intoFile } from './file_sink';
import { safetensorsWriter } from './formats/safetensors';
import { writePickle } from './pickle/writer';
import { elementSize, placeTensors, type Run, type StoredTensor } from './placement';
import type { TensorRecord } from './tensor_record';
import { ZipWriter } from './zip/writer';

const archive = 'archive';

/** What `save` and `saveAsync` take beside the value and the path. */
export interface SaveOptions {
  /** strings by name, for the header of a `.safetensors` file */
  metadata?: Record<string, string>;
}

/**
 * Writes a checkpoint. The file appears whole or not at all, and memory use stays flat.
 *
 * A path that ends with `.safetensors` gets that format. `value` must then be a flat object of tensors; their dtype,
 * shape and elements are kept.
 *
 * Any other path gets the zip format of `torch.save` (version 3), which Python opens with `torch.load(path,
 * weights_only=True)`. Plain objects become dicts, arrays lists, null None, Uint8Arrays bytes. Integral numbers become
 * ints; wrap them in PyFloat to get floats. PyTuple, OrderedDict, IntDict, Map and Set become the types that they are
 * named after. Tensors of every dense dtype keep dtype, shape, strides and requires_grad. Those that share memory share
 * it in the file. Tensors of other devices are written as CPU tensors.
 *
 * @param value tensors and plain values, nested
 * @param path the file, usually `*.pt`; missing folders are made
 * @param options.metadata strings by name, for the header of a `.safetensors` file
 * @throws CleanclipError `ERR_OPTION` naming the place of a value that cannot be saved, in which case nothing is
 * written; `ERR_CHECKPOINT` when the file cannot be written
 */
export function save(value: unknown, path: string, options: SaveOptions = {}): void {
  checkText('The path of torch.save', path);
  noGrad(() =>
    tidy(() => {
      const write = writerOf(value, path, options);
      try {
        writeWhole(path, (fd) => write(intoFile(fd)));
      } catch (error) {
        throw asCheckpointError(error);
      }
    }),
  );
}

/**
 * Writes the same bytes as `save`, while this thread goes on. The call copies the tensors to CPU memory and
 * returns; they may change at once. Another thread then writes the file, which appears whole or not at all.
 *
 * Until the file is written, the copy takes as much memory as what is saved. If that is not free, the call writes the
 * file itself before it returns, as `save` does. For a second call with the same path, await the first.
 *
 * @param value tensors and plain values, nested
 * @param path the file, usually `*.pt`; missing folders are made
 * @param options.metadata strings by name, for the header of a `.safetensors` file
 * @returns a promise that is fulfilled when the file is on the disk
 * @throws CleanclipError rejects with the errors of `save`
 */
export async function saveAsync(value: unknown, path: string, options: SaveOptions = {}): Promise<void> {
  checkText('The path of torch.saveAsync', path);
  const image = imageOf(value, path, options);
  if (image === undefined) {
    save(value, path, options);
    return;
  }
  try {
    await image.writeTo(path);
  } catch (error) {
    throw asCheckpointError(error);
  }
}

/** Copies the value into the image of a file; undefined when there is not enough memory. */
function imageOf(value: unknown, path: string, options: SaveOptions): FileImage | undefined {
  const image = new FileImage();
  try {
    noGrad(() => tidy(() => writerOf(value, path, options)(image)));
    return image;
  } catch (error) {
    if (error instanceof CleanclipError && error.code === 'ERR_TORCH_OOM') return undefined;
    throw error;
  }
}

const asCheckpointError = (error: unknown): CleanclipError =>
  new CleanclipError((error as Error).message, 'ERR_CHECKPOINT', { cause: error });

/** Checks the whole value, and returns the function that writes it in the format of the path. */
const writerOf = (value: unknown, path: string, { metadata }: SaveOptions): ((sink: FileSink) => void) =>
  path.endsWith('.safetensors') ? safetensorsWriter(value, metadata) : archiveWriter(value);

function archiveWriter(value: unknown): (sink: FileSink) => void {
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
  return (sink) => writeArchive(sink, pickle, runs);
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

/** The record that stands for any tensor while the first pass collects the tensors. */
const placeholder: TensorRecord = {
  key: '',
  dtype: 'uint8',
  recordBytes: 0,
  offset: 0,
  shape: [0],
  stride: [1],
  requiresGrad: false,
};

/** Writes the records in torch's order; `.format_version` 1 promises that order and the alignment. */
function writeArchive(sink: FileSink, pickle: Buffer, runs: readonly Run<SavedTensor>[]): void {
  const zip = new ZipWriter((bytes, position) => sink.write(bytes, position));
  const add = (name: string, bytes: Uint8Array): void => zip.add(`${archive}/${name}`, bytes);
  add('data.pkl', pickle);
  add('.format_version', Buffer.from('1'));
  add('.storage_alignment', Buffer.from('64'));
  add('byteorder', Buffer.from('little'));
  zip.addWritten(
    runs.map(({ owner: { dtype }, count }, i) => ({ name: `${archive}/data/${i}`, size: count * elementSize(dtype) })),
    (positions) =>
      sink.writeElements(
        runs.map(({ owner: { tensor }, start, count }, i) => ({ position: positions[i], tensor, start, count })),
      ),
  );
  add('version', Buffer.from('3\n'));
  zip.finish();
}
