import { type DType, torch } from '../../src/torch';

describe('elements in and out', () => {
  test.each<[DType, object]>([
    ['float32', new Float32Array([0, 1.5, -2])],
    ['float64', new Float64Array([0, 1.5, -2e300])],
    ['int64', new BigInt64Array([0n, 2n ** 63n - 1n, -(2n ** 63n)])],
    ['uint64', new BigUint64Array([0n, 1n, 2n ** 64n - 1n])],
    ['int32', new Int32Array([0, 2 ** 31 - 1, -(2 ** 31)])],
    ['uint32', new Uint32Array([0, 1, 2 ** 32 - 1])],
    ['int16', new Int16Array([0, 32767, -32768])],
    ['uint16', new Uint16Array([0, 1, 65535])],
    ['int8', new Int8Array([0, 127, -128])],
    ['uint8', new Uint8Array([0, 1, 255])],
  ])('%s keeps its typed array', (dtype, data) => {
    const made = torch.tensor(data as Float32Array);
    expect([made.dtype, made.shape, made.data()]).toEqual([dtype, [3], data]);
  });

  test('a Buffer and a part of a larger array are read at their place', () => {
    expect(torch.tensor(Buffer.from([7, 8])).toArray()).toEqual([7, 8]);
    expect(torch.tensor(new Float32Array([1, 2, 3, 4]).subarray(1, 3)).toArray()).toEqual([2, 3]);
  });

  test('the data is copied', () => {
    const data = new Float32Array([1]);
    const made = torch.tensor(data);
    data[0] = 9;
    expect(made.toArray()).toEqual([1]);
  });

  test.each<DType>(['bfloat16', 'float8_e4m3fn', 'float8_e5m2'])('%s comes out as float32', (dtype) => {
    const made = torch.tensor([0, 1.5, -2], { dtype });
    expect([made.dtype, made.data()]).toEqual([dtype, new Float32Array([0, 1.5, -2])]);
  });

  describe('float16', () => {
    const given = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
    const setGlobal = (value: unknown): void =>
      void Object.defineProperty(globalThis, 'Float16Array', { value, configurable: true, writable: true });
    afterEach(() => {
      Reflect.deleteProperty(globalThis, 'Float16Array');
      if (given !== undefined) Object.defineProperty(globalThis, 'Float16Array', given);
    });

    /** The bits alone, under the name that newer Nodes have. */
    class Bits extends Uint16Array {
      override get [Symbol.toStringTag](): 'Uint16Array' {
        return 'Float16Array' as 'Uint16Array';
      }
    }

    test('comes out as float32 where Node has no Float16Array', () => {
      setGlobal(undefined);
      const made = torch.tensor([0, 1.5, -2], { dtype: 'float16' });
      expect([made.dtype, made.data()]).toEqual(['float16', new Float32Array([0, 1.5, -2])]);
    });

    test('goes in and comes out as Float16Array where Node has one', () => {
      setGlobal(Bits);
      const bits = [0x0000, 0x3e00, 0xc000]; // 0, 1.5, -2
      const out = torch.tensor([0, 1.5, -2], { dtype: 'float16' }).data();
      expect([out.constructor, Array.from(out as Iterable<number>)]).toEqual([Bits, bits]);
      const made = torch.tensor(Bits.from([7, ...bits]).subarray(1));
      expect([made.dtype, made.shape, made.to('float32').toArray()]).toEqual(['float16', [3], [0, 1.5, -2]]);
    });
  });

  test('bfloat16 rounds to the nearest', () => {
    expect(torch.tensor([1.0039, 3.14159], { dtype: 'bfloat16' }).toArray()).toEqual([1, 3.140625]);
  });

  test('bool', () => {
    const made = torch.tensor([true, false]);
    expect([made.dtype, made.data(), made.toArray()]).toEqual(['bool', new Uint8Array([1, 0]), [true, false]]);
  });

  test('complex elements come as pairs', () => {
    const made = torch.complex(torch.tensor([1, 2]), torch.tensor([3, 4]));
    expect([made.dtype, made.toArray()]).toEqual([
      'complex64',
      [
        [1, 3],
        [2, 4],
      ],
    ]);
    expect(made.conj().toArray()).toEqual([
      [1, -3],
      [2, -4],
    ]);
  });

  test('int64 elements are numbers where these are exact, else bigints', () => {
    expect(torch.tensor([1n, 2n ** 53n + 1n]).toArray()).toEqual([1, 2n ** 53n + 1n]);
  });

  test('nested arrays of any depth, empty ones and scalars', () => {
    expect(torch.tensor([[[1, 2]], [[3, 4]]]).shape).toEqual([2, 1, 2]);
    expect(torch.tensor([[], []]).shape).toEqual([2, 0]);
    expect(torch.tensor([[], []]).toArray()).toEqual([[], []]);
    expect(torch.zeros([0, 2]).toArray()).toEqual([]);
    expect(torch.tensor(5).shape).toEqual([]);
    expect(torch.tensor(5).toArray()).toBe(5);
  });

  test('views are read in their own order', () => {
    const matrix = torch.arange(6).reshape([2, 3]);
    expect(matrix.t().toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(matrix.slice(1, 0, 3, 2).toArray()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(
      torch
        .tensor([[1], [2]])
        .expand([2, 2])
        .data(),
    ).toEqual(new Float32Array([1, 1, 2, 2]));
  });
});

describe('data that makes no tensor', () => {
  test.each<[string, unknown, string]>([
    ['ragged', [[1, 2], [3]], 'at depth 1 there is a list of 1'],
    ['too deep in one place', [1, [2]], 'at depth 1 there is a list of 1'],
    ['not deep enough', [[1], 2], 'at depth 1 there is number'],
    ['a string', ['a'], 'at depth 1 there is string'],
    ['null', null, 'at depth 0 there is null'],
    ['a bigint beyond 64 bits', [2n ** 63n], 'must fit int64, but 9223372036854775808 does not'],
    ['a fraction among bigints', [1n, 0.5], 'must fit int64, but 0.5 does not'],
    ['a DataView', new DataView(new ArrayBuffer(4)), 'came as DataView'],
  ])('%s', (_, data, message) => {
    expect(() => torch.tensor(data as number[])).toThrow(
      expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringContaining(message) as string }),
    );
  });

  test('an array that contains itself', () => {
    const endless: unknown[] = [];
    endless.push(endless);
    expect(() => torch.tensor(endless as number[])).toThrow('at most 64 deep');
  });

  test('a shape of another size', () => {
    expect(() => torch.tensor(new Float32Array(3), { shape: [2, 2] })).toThrow(
      'asks for 4 elements of float32 (16 bytes), but the data has 12 bytes',
    );
    expect(() => torch.tensor(new Float32Array(3), { shape: [-3] })).toThrow();
  });

  test('an unknown dtype names the known ones', () => {
    expect(() => torch.tensor([1], { dtype: 'float' as DType })).toThrow(
      "'float' is not a dtype; use one of float32, float64",
    );
  });
});

describe('a tensor', () => {
  test('tells its shape, strides, dtype, device and text', () => {
    const made = torch.zeros([2, 3]);
    expect([made.shape, made.strides, made.dtype, made.device]).toEqual([[2, 3], [3, 1], 'float32', 'cpu']);
    expect(String(torch.tensor([[1, 2]]))).toBe('Tensor(float32 [1, 2]) [ [ 1, 2 ] ]');
    expect(String(torch.zeros([1000]))).toBe('Tensor(float32 [1000])');
    expect(String(torch.zeros([2], { device: 'meta' }))).toBe('Tensor(float32 [2], meta)');
  });

  test('converts dtype and device together or apart', () => {
    const made = torch.tensor([1.7]);
    expect(made.to('int32').toArray()).toEqual([1]);
    expect(made.to({ dtype: 'float64', device: 'cpu' }).dtype).toBe('float64');
    expect(made.to('meta').device).toBe('meta');
    expect(made.to(torch.tensor([1n])).dtype).toBe('int64');
    expect(() => made.to('cuda:7')).toThrow(expect.objectContaining({ code: 'ERR_TORCH' }));
  });

  test('item gives the only element', () => {
    expect([torch.tensor(1.5).item(), torch.tensor([3n]).item(), torch.tensor([true]).item()]).toEqual([1.5, 3, true]);
    expect(torch.tensor([2n ** 60n]).item()).toBe(2n ** 60n);
    expect(() => torch.zeros([2]).item()).toThrow('a Tensor with 2 elements cannot be converted to Scalar');
  });

  test('bytes are a view of its memory', () => {
    const made = torch.tensor([1, 2]);
    const bytes = made.bytes();
    new Float32Array(bytes.buffer)[1] = 5;
    made.select(0, 0).fill_(4);
    expect(made.toArray()).toEqual([4, 5]);
    expect(new Float32Array(bytes.buffer)[0]).toBe(4);
    expect(made.bytes()).toEqual(bytes);
  });

  test('bytes outlive the tensor, and hold its memory in place', () => {
    const made = torch.tensor([1, 2]);
    const bytes = made.bytes();
    expect(() => made.resize_([1000])).toThrow('not resizable');
    made.set_(torch.zeros([3]));
    made.dispose();
    expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2]);
  });

  test('bytes need contiguous memory', () => {
    expect(() => torch.zeros([2, 3]).t().bytes()).toThrow('bytes() views a contiguous CPU tensor');
    expect(() => torch.zeros([2, 2]).to_sparse().bytes()).toThrow('dense');
    expect(torch.zeros([0]).bytes()).toHaveLength(0);
  });

  test('without memory is read as what it means, or refused', () => {
    expect(() => torch.zeros([2]).to('meta').data()).toThrow('dense');
    expect(() => torch.zeros([2, 2]).to_sparse().data()).toThrow('to_dense()');
    expect(torch.zeros([2, 2]).to_sparse().to_dense().toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});
