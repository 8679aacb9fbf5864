import { type ClipConfig } from '../../src/clip/config';
import { loadClip } from '../../src/clip/model';
import { configs } from '../../src/clip/named';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { type Tensor, torch } from '../../src/torch';
import { addon } from '../../src/torch/addon';
import { GradScaler } from '../../src/torch/grad_scaler';
import { makeOptimizer } from '../../src/training/optimizer';
import { trainStep } from '../../src/training/step';
import { makeBatch } from '../support/batches';
import { miniModel } from '../support/pairs';
import { runRanks } from './distributed/ranks';

const { backends, cuda } = torch;
const MIB = 2 ** 20;
const gpus = cuda.deviceCount();
const withGpu = gpus > 0 ? describe : describe.skip;
const withoutGpu = gpus > 0 ? describe.skip : describe;
const withNccl = gpus > 0 && torch.distributed.isNcclAvailable() ? it : it.skip;

describe('the switches of torch.backends', () => {
  const { cudnn, cuda: { matmul } } = backends; // prettier-ignore
  const all = [() => cudnn.benchmark, () => cudnn.allowTf32, () => matmul.allowTf32];

  test('begin as in torch, and keep what they are set to', () => {
    expect(all.map((read) => read())).toEqual([false, true, false]);
    [cudnn.benchmark, cudnn.allowTf32, matmul.allowTf32] = [true, false, true];
    expect(all.map((read) => read())).toEqual([true, false, true]);
    [cudnn.benchmark, cudnn.allowTf32, matmul.allowTf32] = [false, true, false];
  });

  test('are true or false', () => {
    expect(() => (cudnn.benchmark = 1 as never)).toThrow('cudnnBenchmark is true or false.');
  });
});

withoutGpu('without a GPU', () => {
  const [stream, event] = [{ native: {} }, { native: {} }] as never[];
  const reason =
    addon().cudaBuild() === null
      ? /^There is no GPU for this addon, .* CPU build .*setup --cuda'\.$/
      : /^There is no GPU that CUDA can use: nvidia-smi/;

  test.each<[string, () => unknown]>([
    ['currentDevice', () => cuda.currentDevice()],
    ['setDevice', () => cuda.setDevice(0)],
    ['synchronize', () => cuda.synchronize()],
    ['getDeviceProperties', () => cuda.getDeviceProperties('cuda:0')],
    ['memoryAllocated', () => cuda.memoryAllocated()],
    ['maxMemoryAllocated', () => cuda.maxMemoryAllocated(0)],
    ['memoryReserved', () => cuda.memoryReserved()],
    ['maxMemoryReserved', () => cuda.maxMemoryReserved()],
    ['resetPeakMemoryStats', () => cuda.resetPeakMemoryStats()],
    ['emptyCache', () => cuda.emptyCache()],
    ['currentStream', () => cuda.currentStream()],
    ['new Stream', () => new cuda.Stream()],
    ['new Event', () => new cuda.Event()],
    ['stream', () => cuda.stream(stream, () => 1)],
  ])('%s says so', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringMatching(reason) }));
  });

  test('there are 0, and none is available', () => {
    expect([cuda.deviceCount(), cuda.isAvailable()]).toEqual([0, false]);
  });

  test('what is no stream or event is refused', () => {
    expect(() => addon().synchronizeCudaStream(stream)).toThrow('A torch.cuda.Stream was expected here.');
    expect(() => addon().queryCudaEvent(event)).toThrow('A torch.cuda.Event was expected here.');
  });
});

describe('a GPU that has no memory left', () => {
  // The texts of libtorch's allocator and of CUDA, thrown by an operator that throws what it is given.
  const told =
    (text: string): (() => unknown) =>
    () =>
      torch._assert_async(torch.tensor(0), text);
  const text = (asked: string): string =>
    `CUDA out of memory. Tried to allocate ${asked}. GPU 1 has a total capacity of 23.65 GiB of which 10.81 MiB ` +
    'is free. Process 4711 has 23.63 GiB ' +
    'memory in use. Of the allocated memory 22.90 GiB is allocated by PyTorch, and 301.25 MiB is reserved by ' +
    'PyTorch but unallocated. If reserved but ' +
    'unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid ' +
    'fragmentation.  See documentation for Memory ' +
    'Management  (https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)';

  test.each([
    ['20.00 MiB', 20 * MIB],
    ['2.50 GiB', 2560 * MIB],
    ['512.00 KiB', MIB / 2],
    ['16 bytes', 16],
  ])('is told of by code and bytes: %s', (asked, bytes) => {
    const message =
      `There is not enough memory on GPU 1: the operation asked for ${bytes} bytes, and 10.81 MiB of 23.65 GiB ` +
      'are free.';
    expect(told(text(asked))).toThrow(expect.objectContaining({ code: 'ERR_TORCH_OOM', message }));
  });

  test.each([
    'CUDA out of memory. Tried to allocate more than 1EB memory.',
    'CUDA error: out of memory',
    'CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`',
  ])('and by code alone: %s', (message) => {
    expect(told(message)).toThrow(
      expect.objectContaining({
        code: 'ERR_TORCH_OOM',
        message: 'There is not enough memory on the GPU for this operation.',
      }),
    );
  });

  test('is not seen in other messages', () => {
    expect(told('CUDA error: an illegal memory access was encountered')).toThrow(
      expect.objectContaining({ code: 'ERR_TORCH' }),
    );
  });
});

withGpu('a GPU', () => {
  const vit: ClipConfig = {
    ...configs.tiny,
    imageSize: 32,
    visionLayers: 2,
    visionWidth: 128,
    visionPatchSize: 8,
    textLayers: 3,
  };

  afterEach(() => cuda.synchronize());

  test('has a name, a compute capability and memory', () => {
    const { name, major, minor, totalMemory, multiProcessorCount } = cuda.getDeviceProperties();
    expect(name).not.toBe('');
    expect(major * 10 + minor).toBeGreaterThan(30);
    expect(totalMemory).toBeGreaterThan(2 ** 30);
    expect(multiProcessorCount).toBeGreaterThan(0);
  });

  test('is chosen by index or name, and one that is not there is refused', () => {
    cuda.setDevice(gpus - 1);
    expect(cuda.currentDevice()).toBe(gpus - 1);
    expect(torch.ones([1], { device: 'cuda' }).device).toBe(`cuda:${gpus - 1}`);
    cuda.setDevice('cuda:0');
    expect(cuda.currentDevice()).toBe(0);
    for (const wrong of [gpus, -1, 0.5, 'cpu', null])
      expect(() => cuda.setDevice(wrong as number)).toThrow(expect.objectContaining({ code: 'ERR_TORCH' }));
  });

  test('counts the memory of tensors, and gives it back', () => {
    const before = cuda.memoryAllocated();
    const tensor = torch.empty([8 * MIB], { device: 'cuda' });
    expect(cuda.memoryAllocated() - before).toBe(32 * MIB);
    expect(cuda.maxMemoryAllocated()).toBeGreaterThanOrEqual(before + 32 * MIB);
    tensor.dispose();
    expect(cuda.memoryAllocated()).toBe(before);
    cuda.resetPeakMemoryStats();
    expect(cuda.maxMemoryAllocated()).toBe(before);
    const held = cuda.memoryReserved();
    cuda.emptyCache();
    expect(cuda.memoryReserved()).toBeLessThanOrEqual(held - 32 * MIB);
    expect(cuda.maxMemoryReserved()).toBeGreaterThanOrEqual(held);
  });

  test('refuses more than it has by code, and works on', () => {
    const { totalMemory } = cuda.getDeviceProperties();
    const ask = (): Tensor => torch.empty([2 * totalMemory], { dtype: 'uint8', device: 'cuda' });
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'ERR_TORCH_OOM',
        message: expect.stringMatching(/^There is not enough memory on GPU 0: .* asked for \d+ bytes/),
      }),
    );
    expect(torch.ones([3], { device: 'cuda' }).sum().item()).toBe(3);
  });

  test('takes pinned memory without waiting, to the same numbers', () => {
    const numbers = torch.arange(4 * MIB, { dtype: 'float32' });
    const pinned = numbers.pin_memory();
    expect([numbers.is_pinned(), pinned.is_pinned()]).toEqual([false, true]);
    const there = pinned.to({ device: 'cuda', nonBlocking: true });
    expect(there.to('cpu').equal(numbers)).toBe(true);
    expect(torch.empty([4], { pinMemory: true }).is_pinned()).toBe(true);
  });

  test('works in streams, which events order and time', () => {
    const [stream, other] = [new cuda.Stream(), new cuda.Stream(0, { highPriority: true })];
    const [start, end] = [new cuda.Event(), new cuda.Event()];
    const product = cuda.stream(stream, () => {
      expect(torch.ones([1], { device: 'cuda' }).device).toBe('cuda:0');
      start.record();
      const square = torch.ones([2048, 2048], { device: 'cuda' });
      const result = square.mm(square);
      end.record();
      return result;
    });
    other.waitStream(stream);
    const sum = cuda.stream(other, () => product.sum().div(2048 ** 3));
    cuda.recordStream(product, other);
    other.synchronize();
    expect([stream.query(), other.query(), end.query()]).toEqual([true, true, true]);
    expect(sum.item()).toBe(1);
    end.synchronize();
    expect(start.elapsedTime(end)).toBeGreaterThan(0);
    expect(stream.device).toBe(0);
  });

  test('leaves the stream of cuda.stream also when that throws', () => {
    const work = (): void => cuda.stream(new cuda.Stream(), () => { throw new Error('mine'); }); // prettier-ignore
    expect(work).toThrow('mine');
    cuda.currentStream().synchronize();
  });

  const step = (
    config: ClipConfig,
    device: string,
    precision: 'fp32' | 'fp16' = 'fp32',
    scaler?: GradScaler,
  ): { loss: number; loss_scale?: number; weights: Record<string, Tensor> } => {
    const clip = loadClip(config, { seed: 2, device, precision });
    const read = trainStep(
      clip.train(),
      makeOptimizer(clip, resolve(trainOptions, {})),
      makeBatch(config, { pairs: 8, seed: 4 }),
      { clipWeight: 1, inmodalWeight: 1 },
      { scaler },
    );
    return {
      ...read(),
      weights: Object.fromEntries(Object.entries(clip.stateDict()).map(([name, tensor]) => [name, tensor.to('cpu')])),
    };
  };

  test.each([
    ['ResNet', miniModel],
    ['ViT', vit],
  ])('takes a training step of a %s as the CPU does', (_, config) => {
    backends.cudnn.allowTf32 = false;
    const [there, here] = [step(config, 'cuda:0'), step(config, 'cpu')];
    backends.cudnn.allowTf32 = true;
    expect(there.loss).toBeCloseTo(here.loss, 4);
    for (const [name, tensor] of Object.entries(there.weights)) {
      // AdamW's first step moves each weight by the learning rate along the sign of its gradient, so that a gradient
      // near 0 may go either way.
      const apart = tensor.to('float32').sub(here.weights[name].to('float32')).abs();
      expect(apart.max().item()).toBeLessThan(2.1 * 5e-4);
      expect(apart.mean().item()).toBeLessThan(2e-5);
    }
  });

  test.each([
    ['ResNet', miniModel],
    ['ViT', vit],
  ])('takes a step of a %s in float16, scaled', (_, config) => {
    const scaler = new GradScaler({ initScale: 1024 });
    const half = step(config, 'cuda:0', 'fp16', scaler);
    const whole = step(config, 'cuda:0');
    expect(half.loss).toBeCloseTo(whole.loss, 1);
    expect(half.loss_scale).toBe(1024);
    expect(Object.values(half.weights).every((tensor) => tensor.isfinite().all().item())).toBe(true);
    const overflowing = new GradScaler({ initScale: 3e38 });
    expect(step(config, 'cuda:0', 'fp16', overflowing).loss_scale).toBeCloseTo(1.5e38, -32);
  });

  test('takes no more memory for captions of other lengths after the first steps', () => {
    const clip = loadClip(vit, { seed: 2, device: 'cuda:0' }).train();
    const optimizer = makeOptimizer(clip, resolve(trainOptions, {}));
    const reserved = Array.from({ length: 12 }, (_, seed) => {
      const batch = makeBatch(vit, { pairs: 64, seed });
      trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 })();
      return cuda.memoryReserved();
    });
    expect(reserved.at(-1)).toBe(reserved[5]);
  });

  withNccl('joins a group of one by NCCL', async () => {
    const [{ values, error }] = await runRanks(1, [['byNccl']], { noGroup: true });
    expect(error).toBeUndefined();
    expect(values).toEqual([[3, [3]]]);
  });
});
