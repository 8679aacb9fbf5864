import { type Stats, statSync } from 'node:fs';
import { type DType, torch, Tensor } from '../index';
import { elementSize, span } from './placement';
import { Fault, shown } from './fault';
import type { TensorMaker, TensorRecord } from './tensor_record';
import type { Extent } from './zip_reader';

/**
 * Makes tensors over a file that is mapped once, privately: writing to a tensor does not change the file. They are no views of one another, so
 * each has a version counter of its own and may be a parameter. Disposing frees what was made so far, unless it was released.
 */
export class MappedTensors implements TensorMaker {
  #file?: Tensor;
  readonly #copies = new Map<string, Tensor>();
  #made: Tensor[] = [];

  /**
   * @param path the file
   * @param stats what the file was when its directory was read
   * @param locate where the data of a record, or storage, lies
   */
  constructor(
    private readonly path: string,
    private readonly stats: Stats,
    private readonly locate: (key: string) => Extent,
  ) {}

  make(record: TensorRecord): Tensor {
    const { dtype, shape, stride } = record;
    const extent = this.locate(record.key);
    const size = elementSize(dtype);
    if (record.recordBytes > extent.size) {
      throw new Fault(`is damaged: its storage ${shown(record.key)} has ${extent.size} bytes where its pickle says ${record.recordBytes}`);
    }
    if (stride.length !== shape.length || (record.offset + span(record)) * size > record.recordBytes) {
      throw new Fault(`is damaged: a tensor of shape [${shape}] and strides [${stride}] does not fit into its storage ${shown(record.key)}`);
    }
    const aligned = extent.offset % size === 0;
    const storage = aligned ? this.#map() : this.#copy(record.key, extent);
    const start = (aligned ? extent.offset / size : 0) + record.offset;
    let tensor = this.#keep(torch.empty([0], { dtype: dtype as DType }));
    tensor.set_(storage, start, shape, stride);
    if (record.conj) tensor = this.#keep(tensor.conj());
    if (record.neg) tensor = this.#keep(tensor._neg_view());
    tensor.requiresGrad = record.requiresGrad;
    return tensor;
  }

  isTensor(value: unknown): boolean {
    return value instanceof Tensor;
  }

  setRequiresGrad(tensor: Tensor, requiresGrad: boolean): void {
    tensor.requiresGrad = requiresGrad;
  }

  /** Leaves the tensors made so far to the caller, or those of them that are in `wanted`. */
  release(wanted?: ReadonlySet<unknown>): void {
    this.#made = wanted ? this.#made.filter((tensor) => !wanted.has(tensor)) : [];
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#made) tensor.dispose();
    for (const tensor of this.#copies.values()) tensor.dispose();
    this.#file?.dispose();
  }

  /** The whole file, as bytes. */
  #map(): Tensor {
    if (!this.#file) {
      this.#file = torch.ops.aten.from_file(this.path, false, this.stats.size, { dtype: 'uint8' });
      const { ino, size } = statSync(this.path);
      if (ino !== this.stats.ino || size !== this.stats.size) throw new Fault('was replaced while it was read; load it again');
    }
    return this.#file;
  }

  /** A record that does not lie at a multiple of its element size. */
  #copy(key: string, { offset, size }: Extent): Tensor {
    let copy = this.#copies.get(key);
    if (!copy) {
      const view = this.#map().slice(0, offset, offset + size);
      copy = view.clone();
      view.dispose();
      this.#copies.set(key, copy);
    }
    return copy;
  }

  #keep(tensor: Tensor): Tensor {
    this.#made.push(tensor);
    return tensor;
  }
}
