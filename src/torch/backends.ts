import { addon } from './addon';

/** torch.backends.cudnn; of the whole process. */
export const cudnn = {
  /**
   * Whether convolutions try cuDNN's algorithms on the first input of each shape and keep the fastest; default false.
   * A training on a GPU sets it: its shapes are few, and the order of its sums is not fixed either way.
   */
  get benchmark(): boolean {
    return addon().cudnnBenchmark();
  },
  set benchmark(value: boolean) {
    addon().cudnnBenchmark(value);
  },

  /**
   * Whether float32 convolutions compute in TF32, with 10 bits of mantissa, on GPUs of compute capability 8.0 or more;
   * default true, as in torch.
   */
  get allowTf32(): boolean {
    return addon().cudnnAllowTf32();
  },
  set allowTf32(value: boolean) {
    addon().cudnnAllowTf32(value);
  },
};

/** torch.backends.cuda; of the whole process. */
export const cuda = {
  matmul: {
    /**
     * Whether float32 matrix products compute in TF32, with 10 bits of mantissa, on GPUs of compute capability 8.0 or
     * more; default false, as in torch.
     */
    get allowTf32(): boolean {
      return addon().matmulAllowTf32();
    },
    set allowTf32(value: boolean) {
      addon().matmulAllowTf32(value);
    },
  },
};
