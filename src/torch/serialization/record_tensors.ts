import { fstatSync } from 'node:fs';

import { systemError } from '../../files';
import { addon } from '../addon';
import { noGrad } from '../autograd';
import type { Handle } from '../handle';
import { Tensor, wrap } from '../tensor';
import { retrack } from '../tracking';
import { Fault, shown } from './fault';
import type { CheckpointFile } from './file_bytes';
import { elementSize, span } from './placement';
import type { ArrayRecord, TensorMaker, TensorRecord } from './tensor_record';
import type { Extent } from './zip/reader';

/** The memory of a record. */
interface Memory extends Extent {
  /** a byte tensor over the whole record; only a handle, so that V8 counts this memory once, with the tensor in it */
  readonly bytes: Handle;
  /** whether the bytes of the file still have to be read into it */
  readonly unread: boolean;
}

/** Records that begin at a multiple of this many bytes can be mapped. */
const alignment = 8;

/**
 * Makes the tensors of a file. Each record is a storage of its own, and its tensors share that storage. They are not
 * views of one another, so each has its own version counter and may be a parameter. {@link finish} reads all records at
 * once, unless they are mapped, privately. Disposing frees every tensor that was made but not finished.
 */
export class RecordTensors implements TensorMaker {
  readonly #memories = new Map<string, Memory>();
  #made: Tensor[] = [];
  #finished: Tensor[] = [];
  #total = 0;
  #map?: Handle;

  /** @param locate returns where the data of a record (a storage) lies in the file */
  constructor(
    private readonly file: CheckpointFile,
    private readonly locate: (key: string) => Extent,
  ) {}

  /**
   * Makes a tensor in the memory of its record. Its values are valid once {@link finish} has read them.
   * @throws Fault when the tensor does not fit into its record
   */
  make(record: TensorRecord): Tensor {
    const { dtype, shape, stride, key, offset } = record;
    const memory = this.#memory(key);
    if (record.recordBytes > memory.size) {
      throw new Fault(
        `is damaged: its storage ${shown(key)} has ${memory.size} bytes where its pickle says ${record.recordBytes}`,
      );
    }
    if (stride.length !== shape.length || (offset + span(record)) * elementSize(dtype) > record.recordBytes) {
      throw new Fault(
        `is damaged: a tensor of shape [${shape}] and strides [${stride}] does not fit into its storage ${shown(key)}`,
      );
    }
    let tensor = this.#tensorIn(memory.bytes, record);
    if (record.conj) tensor = this.#keep(tensor.conj());
    if (record.neg) tensor = this.#keep(tensor._neg_view());
    tensor.requiresGrad = record.requiresGrad;
    return tensor;
  }

  /** Makes a tensor from elements that the pickle itself holds. */
  fromArray(array: ArrayRecord): Tensor {
    const bytes = addon().fromBytes(array.bytes, 'uint8', [array.bytes.length]);
    try {
      return this.#tensorIn(bytes, { ...array, offset: 0 });
    } finally {
      addon().release(bytes);
    }
  }

  /** Tells whether a value is a tensor. */
  isTensor(value: unknown): boolean {
    return value instanceof Tensor;
  }

  /** Sets whether autograd records operations on a tensor. */
  setRequiresGrad(tensor: object, requiresGrad: boolean): void {
    (tensor as Tensor).requiresGrad = requiresGrad;
  }

  /**
   * Reads the records, and hands the tensors made so far to the caller: all, or those in `wanted`.
   * @throws Fault when the file was cut or changed meanwhile
   */
  finish(wanted?: ReadonlySet<unknown>): void {
    const unread = [...this.#memories.values()].filter((memory) => memory.unread);
    const read = addon().readTensors(
      this.file.fd,
      unread.map(({ bytes }) => bytes),
      unread.map(({ offset }) => offset),
    );
    if (read < 0) throw systemError(read, 'read');
    const { size, mtimeMs } = fstatSync(this.file.fd);
    if (read > 0 || size < this.file.stats.size) throw new Fault('was cut short while it was read; load it again');
    if (mtimeMs !== this.file.stats.mtimeMs) throw new Fault('was changed while it was read; load it again');
    const isWanted = (tensor: Tensor): boolean => wanted === undefined || wanted.has(tensor);
    this.#finished = this.#made.filter(isWanted);
    this.#made = this.#made.filter((tensor) => !isWanted(tensor));
  }

  /** Frees the tensors that {@link finish} did not hand to the caller. */
  [Symbol.dispose](): void {
    for (const tensor of this.#made) tensor.dispose();
    for (const { bytes } of this.#memories.values()) addon().release(bytes);
    for (const tensor of this.#finished) retrack(tensor);
    if (this.#map !== undefined) addon().release(this.#map);
  }

  #memory(key: string): Memory {
    let memory = this.#memories.get(key);
    if (memory === undefined) {
      const extent = this.locate(key);
      this.#total += extent.size;
      if (this.#total > this.file.stats.size)
        throw new Fault('is damaged: its records have more bytes together than it has');
      memory = { ...extent, ...this.#place(extent) };
      this.#memories.set(key, memory);
    }
    return memory;
  }

  #place({ offset, size }: Extent): { bytes: Handle; unread: boolean } {
    if (!this.file.mmap || offset % alignment !== 0) return { bytes: addon().emptyBytes(size), unread: true };
    this.#map ??= addon().mapFile(this.file.fd, this.file.stats.size);
    return { bytes: addon().windowOf(this.#map, offset, size), unread: false };
  }

  #tensorIn(
    bytes: Handle,
    { dtype, offset, shape, stride }: Pick<TensorRecord, 'dtype' | 'offset' | 'shape' | 'stride'>,
  ): Tensor {
    return this.#keep(noGrad(() => wrap(addon().tensorIn(bytes, dtype, offset, shape, stride))));
  }

  #keep(tensor: Tensor): Tensor {
    this.#made.push(tensor);
    return tensor;
  }
}
