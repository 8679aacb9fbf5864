import { CleanclipError } from '../errors';
import { loadAddon } from '../setup/load';
import type { CudaFunctions } from './cuda_native';
import type { DistributedFunctions } from './distributed/native';
import type { Handle } from './handle';
import type { Raster } from './raster';

/** Stands for a torch.Generator inside the addon. */
export interface NativeGenerator {
  readonly __generator: unique symbol;
}

/** The content of a file that is yet to be written, inside the addon. */
export interface NativeFileImage {
  readonly __fileImage: unique symbol;
}

/** The result of {@link Addon.rasterToRgb}. */
interface RgbPixels {
  /** uint8 [H, W, 3] */
  pixels: Handle;
  /** how many pixels have no bytes, because the file ends too early */
  missing: number;
}

/** The functions of `native/`, in one group per C++ file. */
export interface Addon extends CudaFunctions, DistributedFunctions {
  setErrorClass(errorClass: unknown): void;
  setTensorFactory(factory: (handle: Handle) => unknown): void;

  call(id: number, tensorMask: number, ...values: unknown[]): unknown;
  callWithKeywords(id: number, tensorMask: number, names: string[], ...values: unknown[]): unknown;
  findOperator(name: string): number;
  operatorNames(): string[];
  operatorSchemas(): string[];
  libtorchVersion(): string;

  shape(tensor: Handle): number[];
  strides(tensor: Handle): number[];
  dtype(tensor: Handle): string;
  device(tensor: Handle): string;
  storageKey(tensor: Handle): bigint;
  fromBytes(data: ArrayBufferView, dtype: string, shape: readonly number[]): Handle;
  copyBytes(tensor: Handle): ArrayBuffer;
  viewBytes(tensor: Handle): ArrayBuffer;
  share(tensor: Handle): number;
  take(token: number): Handle;

  writeTensors(fd: number, tensors: Handle[], positions: number[], crcs: number[]): number[] | number;
  createFileImage(): NativeFileImage;
  copyToImage(image: NativeFileImage, tensors: Handle[], positions: number[]): number[];
  writeImage(
    image: NativeFileImage,
    bytes: Uint8Array[],
    positions: number[],
    fd: number,
    temporary: string,
    path: string,
  ): Promise<number>;
  readTensors(fd: number, tensors: Handle[], positions: readonly number[]): number;
  mapFile(fd: number, size: number): Handle;
  emptyBytes(size: number): Handle;
  windowOf(bytes: Handle, position: number, size: number): Handle;
  tensorIn(bytes: Handle, dtype: string, offset: number, shape: readonly number[], strides: readonly number[]): Handle;

  openScope(): void;
  closeScope(kept: Handle[]): void;
  keep(tensor: Handle): void;
  release(tensor: Handle): boolean;
  adjustMemory(bytes: number): number;
  storageBytes(tensor: Handle): number;
  memory(): { tensors: number; bytes: number };

  requiresGrad(tensor: Handle): boolean;
  setRequiresGrad(tensor: Handle, value: boolean): void;
  isLeaf(tensor: Handle): boolean;
  grad(tensor: Handle): Handle | null;
  setGrad(tensor: Handle, gradient: Handle | null): void;
  backward(root: Handle, gradient: Handle | null, retainGraph: boolean, createGraph: boolean): void;
  gradientsOf(
    outputs: Handle[],
    inputs: Handle[],
    gradOutputs: (Handle | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  setGradMode(enabled: boolean): boolean;
  gradMode(): boolean;
  setAutocast(device: string, dtype: string | null): string | null;
  autocastNesting(enter: boolean): void;

  manualSeed(seed: number | bigint): void;
  createGenerator(seed: number | bigint): NativeGenerator;
  generatorState(generator: NativeGenerator | null): Handle;
  setGeneratorState(generator: NativeGenerator | null, state: Handle): void;

  setNumThreads(count: number): void;
  setThreadLocalThreads(count: number): void;
  numThreads(): number;
  cpuCapability(): string;
  cpuHasBfloat16(): boolean;

  lockFile(fd: number): number;
  syncFileSystem(fd: number): number;
  endOnSecondInterrupt(): void;

  emptyCache(): void;
  startProfile(): number;
  stopProfile(handle: number): [name: string, calls: number, ownSeconds: number][];

  augmentImage(image: Handle, steps: [name: string, magnitude: number][]): Handle;
  resizeImage(
    image: Handle,
    width: number,
    height: number,
    left: number,
    top: number,
    cropWidth: number,
    cropHeight: number,
    bilinear: boolean,
  ): Handle;
  normalizeImages(images: Handle, means: readonly number[], deviations: readonly number[]): Handle;
  readFile(path: string, maxBytes: number): Promise<Buffer | null>;
  decodeJpeg(
    bytes: Uint8Array,
    maxPixels: number,
    maxSeconds: number,
    isAsync: boolean,
  ): Handle | string | null | Promise<Handle | string | null>;
  rasterToRgb(bytes: Uint8Array, raster: Raster, filtered: number, isAsync: boolean): RgbPixels | Promise<RgbPixels>;
  unpackPixels(
    kind: string,
    bytes: Uint8Array,
    size: number,
    parts: number[],
    numbers: number[],
  ): Promise<Uint8Array | null>;
}

let loaded: Addon | undefined;
const listeners: ((addon: Addon) => void)[] = [];

/**
 * Returns the addon. The first call loads it, and libtorch with it.
 * @throws CleanclipError `ERR_NATIVE` when it cannot be loaded; the message names the command that repairs it
 */
export function addon(): Addon {
  if (loaded === undefined) {
    const fresh = loadAddon<Addon>();
    fresh.setErrorClass(CleanclipError);
    loaded = fresh;
    for (const listener of listeners) listener(fresh);
  }
  return loaded;
}

/** Registers a function that runs when the addon has been loaded. */
export function onAddonLoad(listener: (addon: Addon) => void): void {
  listeners.push(listener);
}
