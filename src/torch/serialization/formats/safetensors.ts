import { optionError } from '../../../errors';
import { defineEntry } from '../../python_values';
import { tidy } from '../../scope';
import { Tensor } from '../../tensor';
import { dtypes } from '../dtypes';
import { Fault } from '../fault';
import type { CheckpointFile, FileBytes } from '../file_bytes';
import type { FileSink } from '../file_sink';
import { elementSize } from '../placement';
import { RecordTensors } from '../record_tensors';
import { maxHeaderBytes, parseHeader, parseMetadata } from './safetensors_header';

/** Bytes of the field before the header, which holds the length of the header. */
const lengthBytes = 8;

/** Reads a safetensors file: its tensors by name. {@link readMetadata} reads its metadata. */
export function readSafetensors(file: CheckpointFile): Record<string, Tensor> {
  const { bytes } = file;
  const header = headerIn(bytes);
  const start = lengthBytes + header.length;
  const entries = parseHeader(header, start, bytes.length - start);
  const places = new Map(entries.map((entry) => [entry.name, entry]));

  using tensors = new RecordTensors(file, (name) => places.get(name)!);
  const result: Record<string, Tensor> = {};
  for (const { name, dtype, shape, size } of entries) {
    defineEntry(
      result,
      name,
      tensors.make({
        key: name,
        dtype,
        recordBytes: size,
        offset: 0,
        shape,
        stride: rowMajor(shape),
        requiresGrad: false,
      }),
    );
  }
  tensors.finish();
  return result;
}

/** Reads the metadata of a safetensors file: strings by name. */
export const readMetadata = ({ bytes }: CheckpointFile): Record<string, string> => parseMetadata(headerIn(bytes));

function headerIn(bytes: FileBytes): Buffer {
  const headerBytes = Number(bytes.read(0, lengthBytes).readBigUInt64LE());
  if (headerBytes > maxHeaderBytes)
    throw new Fault(`has a header of ${headerBytes} bytes, but only ${maxHeaderBytes} are read; split the file`);
  if (lengthBytes + headerBytes > bytes.length)
    throw new Fault('is cut short: its header reaches past its end; copy or download it again');
  return bytes.read(lengthBytes, headerBytes);
}

function rowMajor(shape: readonly number[]): number[] {
  const stride = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) stride[i] = stride[i + 1] * Math.max(1, shape[i + 1]);
  return stride;
}

/**
 * Checks the whole value, and returns the function that writes it. Tensors that share memory are written separately,
 * row-major, and requires_grad is lost.
 * @param value a flat object of tensors
 * @param metadata strings by name
 * @throws CleanclipError `ERR_OPTION` naming what such a file cannot hold
 */
export function safetensorsWriter(value: unknown, metadata?: Record<string, string>): (sink: FileSink) => void {
  const entries = value instanceof Tensor ? [] : Object.entries(Object(value) as object);
  const tensors = entries.map(([name, tensor]) => ({ name, tensor: checked(name, tensor) }));
  if (tensors.length === 0)
    throw optionError('A .safetensors file holds tensors by name, but the value to save has none; save it as .pt.');
  // Large elements first, so that each tensor lies at a multiple of its element size.
  tensors.sort((a, b) => elementSize(b.tensor.dtype) - elementSize(a.tensor.dtype));
  let end = 0;
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  for (const { name, tensor } of tensors) {
    const begin = end;
    end += tensor.numel() * elementSize(tensor.dtype);
    defineEntry(header, name, {
      dtype: dtypes.get(tensor.dtype)!.safetensors,
      shape: tensor.shape,
      data_offsets: [begin, end],
    });
  }
  const head = headOf(header);
  return (sink) => {
    sink.write(head, 0);
    let position = head.length;
    for (const { tensor } of tensors) {
      tidy(() => {
        const flat = tensor.detach().resolve_conj().resolve_neg().contiguous();
        sink.writeElements([{ position, tensor: flat, start: flat.storage_offset(), count: flat.numel() }]);
      });
      position += tensor.numel() * elementSize(tensor.dtype);
    }
  };
}

function checked(name: string, value: unknown): Tensor {
  if (!(value instanceof Tensor))
    throw optionError(
      `A .safetensors file holds tensors by name, but '${name}' is not a tensor; save the value as .pt.`,
    );
  if (name === '__metadata__')
    throw optionError("No tensor in a .safetensors file can be called '__metadata__'; save the value as .pt.");
  if (dtypes.get(value.dtype)?.safetensors === undefined) {
    throw optionError(
      `'${name}' is of dtype ${value.dtype}, which a .safetensors file cannot hold; convert it, or save the ` +
        'value as .pt.',
    );
  }
  return value;
}

/** Makes the length field and the header, padded so that the data are aligned. */
function headOf(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const size = Math.ceil(json.length / 8) * 8;
  if (size > maxHeaderBytes)
    throw optionError(
      'The value to save has too many tensors, or too long names, for a .safetensors file; save it as .pt.',
    );
  const head = Buffer.alloc(lengthBytes + size, ' ');
  head.writeBigUInt64LE(BigInt(size));
  head.set(json, lengthBytes);
  return head;
}
