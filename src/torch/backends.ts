import { addon } from './addon';

/**
 * Switches of cuDNN for the whole process (torch.backends.cudnn).
 * Setting anything but a boolean throws CleanclipError `ERR_TORCH`.
 */
export const cudnn = {
  /**
   * Whether convolutions try cuDNN's algorithms on the first input of each shape and keep the fastest; default false.
   * Training on a GPU sets it, because its shapes are few. The order of sums on a GPU varies with or without it.
   */
  get benchmark(): boolean {
    return addon().cudnnBenchmark();
  },
  set benchmark(value: boolean) {
    addon().cudnnBenchmark(value);
  },

  /**
   * Whether float32 convolutions compute in TF32 (10 bits of mantissa) on GPUs of compute capability 8.0 or more.
   * Default true, as in torch.
   */
  get allowTf32(): boolean {
    return addon().cudnnAllowTf32();
  },
  set allowTf32(value: boolean) {
    addon().cudnnAllowTf32(value);
  },
};

/**
 * Switches of CUDA for the whole process (torch.backends.cuda).
 * Setting anything but a boolean throws CleanclipError `ERR_TORCH`.
 */
export const cuda = {
  matmul: {
    /**
     * Whether float32 matrix products compute in TF32 (10 bits of mantissa) on GPUs of compute capability 8.0 or more.
     * Default false, as in torch.
     */
    get allowTf32(): boolean {
      return addon().matmulAllowTf32();
    },
    set allowTf32(value: boolean) {
      addon().matmulAllowTf32(value);
    },
  },
};
