import { existsSync, readFileSync } from 'node:fs';

import { choosePrecision } from '../../src/clip/open';
import { type Tensor, torch } from '../../src/torch';

const leaf = (data: number[]) => torch.tensor(data, { requiresGrad: true });

describe('backward', () => {
  test('adds to the grad of every leaf', () => {
    const x = leaf([1, 2, 3]);
    expect(x.grad).toBeNull();
    x.mul(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 4, 6]);
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 5, 7]);
    x.grad = null;
    expect(x.grad).toBeNull();
  });

  test('of more than one element needs a gradient', () => {
    const x = leaf([1, 2]);
    expect(() => x.mul(2).backward()).toThrow('grad can be implicitly created only for scalar outputs');
    x.mul(2).backward({ gradient: torch.tensor([1, 10]) });
    expect(x.grad?.toArray()).toEqual([2, 20]);
  });

  test('frees the graph unless it is retained', () => {
    const x = leaf([2]);
    const y = x.pow(2);
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad?.toArray()).toEqual([8]);
    expect(() => y.backward()).toThrow('backward through the graph a second time');
  });

  test('of a backward gives higher derivatives', () => {
    const x = leaf([3]);
    x.pow(3).backward({ createGraph: true });
    const first = x.grad!;
    x.grad = null;
    first.backward();
    expect([first.item(), (x.grad as Tensor | null)?.item()]).toEqual([27, 18]);
  });

  test('needs something recorded', () => {
    expect(() => torch.ones([1]).backward()).toThrow('does not require grad');
  });

  test('sees what was changed in place since', () => {
    const x = leaf([1]);
    const y = x.exp();
    const z = y.mul(y).sum();
    y.add_(1);
    expect(() => z.backward()).toThrow('modified by an inplace operation');
    expect(() => x.add_(1)).toThrow('a leaf Variable that requires grad is being used in an in-place operation');
  });

  test('a grad can be set, of the same shape and dtype', () => {
    const x = leaf([1, 2]);
    x.grad = torch.tensor([5, 6]);
    expect(x.grad.toArray()).toEqual([5, 6]);
    expect(() => {
      x.grad = torch.tensor([5]);
    }).toThrow('A gradient has the shape, dtype and device of its tensor.');
  });
});

describe('torch.grad', () => {
  test('leaves grad alone', () => {
    const [x, y] = [leaf([2]), leaf([5])];
    const [dx, dy] = torch.grad(x.mul(y), [x, y]);
    expect([dx?.item(), dy?.item(), x.grad, y.grad]).toEqual([5, 2, null, null]);
  });

  test('takes gradients of the outputs, and null for ones', () => {
    const x = leaf([2, 3]);
    const [dx] = torch.grad([x.mul(2), x.sum()], x, { gradOutputs: [torch.tensor([1, 10]), null] });
    expect(dx?.toArray()).toEqual([3, 21]);
  });

  test('unused inputs are an error or null', () => {
    const [x, y] = [leaf([2]), leaf([5])];
    expect(() => torch.grad(x.mul(1), [y])).toThrow('to not have been used in the graph');
    expect(torch.grad(x.mul(1), [y], { allowUnused: true })).toEqual([null]);
  });

  test('can be differentiated again', () => {
    const x = leaf([3]);
    const [first] = torch.grad(x.pow(3), x, { createGraph: true });
    expect(torch.grad(first ?? [], x)[0]?.item()).toBe(18);
  });
});

describe('recording', () => {
  test('stops in noGrad, starts again in enableGrad, and is restored after a throw', () => {
    const x = leaf([1]);
    torch.noGrad(() => {
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(torch.enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
      expect(x.mul(2).requiresGrad).toBe(false);
      x.add_(1);
    });
    expect(() =>
      torch.noGrad(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(x.mul(2).requiresGrad).toBe(true);
    expect(x.toArray()).toEqual([2]);
  });

  test('is of the tensor', () => {
    const x = torch.ones([1]);
    x.requiresGrad = true;
    const y = x.mul(2);
    expect([x.isLeaf, y.isLeaf, y.requiresGrad, y.detach().requiresGrad]).toEqual([true, false, true, false]);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow('use detach()');
  });
});

describe('autocast', () => {
  const a = torch.ones([2, 2]);

  test('multiplies matrices in the lower precision, sums in float32', () => {
    torch.autocast({}, () => {
      expect(a.mm(a).dtype).toBe('bfloat16');
      expect(a.mm(a).add(a).dtype).toBe('float32');
      expect(torch.mse_loss(a.mm(a), a.mm(a)).dtype).toBe('float32');
    });
    torch.autocast({ dtype: 'float16' }, () => expect(a.mm(a).dtype).toBe('float16'));
    expect(a.mm(a).dtype).toBe('float32');
  });

  test('nests, and null switches it off inside', () => {
    torch.autocast({}, () => {
      torch.autocast({ dtype: null }, () => expect(a.mm(a).dtype).toBe('float32'));
      torch.autocast({ dtype: 'float16' }, () => expect(a.mm(a).dtype).toBe('float16'));
      expect(a.mm(a).dtype).toBe('bfloat16');
    });
  });

  test('is restored after a throw and refuses an unknown dtype before it starts', () => {
    expect(() =>
      torch.autocast({}, () => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(() => torch.autocast({ dtype: 'half' as 'float16' }, () => a)).toThrow(
      "must be 'bfloat16', 'float16' or null, but is 'half'",
    );
    expect(() => torch.autocast({ dtype: 5 as never }, () => a)).toThrow('but is 5');
    expect(() => torch.autocast({ device: Symbol('s') as never }, () => a)).toThrow(
      "must be 'cpu' or 'cuda', but is Symbol(s)",
    );
    expect(() => torch.autocast({ device: 'gpu' }, () => a)).toThrow('device type');
    expect(a.mm(a).dtype).toBe('float32');
  });

  test('casts a weight once, and anew after the outermost', () => {
    const weight = torch.ones([2, 2], { requiresGrad: true });
    const product = () => torch.autocast({}, () => a.mm(weight).sum().item());
    torch.autocast({}, () => {
      expect(a.mm(weight).sum().item()).toBe(8);
      torch.noGrad(() => weight.mul_(2));
      expect(torch.autocast({}, () => a.mm(weight).sum().item())).toBe(8);
    });
    expect(product()).toBe(16);
  });

  test('gradients reach float32 weights', () => {
    const weight = torch.ones([2, 2], { requiresGrad: true });
    torch.autocast({}, () => a.mm(weight).sum()).backward();
    expect([weight.grad?.dtype, weight.grad?.toArray()]).toEqual([
      'float32',
      [
        [2, 2],
        [2, 2],
      ],
    ]);
  });
});

describe('CLEANCLIP_BF16', () => {
  const found = process.env.CLEANCLIP_BF16;
  afterEach(() => {
    if (found === undefined) delete process.env.CLEANCLIP_BF16;
    else process.env.CLEANCLIP_BF16 = found;
  });

  test.each([
    ['0', false, 'fp32'],
    ['1', true, 'bf16'],
  ] as const)('%s overrules what the processor has', (value, has, precision) => {
    process.env.CLEANCLIP_BF16 = value;
    expect([
      torch.hasBfloat16('cpu'),
      choosePrecision('auto', 'cpu'),
      choosePrecision('auto', 'cpu', 'reference'),
    ]).toEqual([has, precision, 'fp32']);
    expect(choosePrecision('fp16', 'cpu')).toBe('fp16');
  });

  test('unset or empty, the processor decides', () => {
    delete process.env.CLEANCLIP_BF16;
    const own = torch.hasBfloat16('cpu');
    process.env.CLEANCLIP_BF16 = '';
    expect(torch.hasBfloat16('cpu')).toBe(own);
    if (existsSync('/proc/cpuinfo'))
      expect(own).toBe(/\b(avx512_bf16|amx_bf16)\b/.test(readFileSync('/proc/cpuinfo', 'latin1')));
  });

  test('is 0 or 1', () => {
    process.env.CLEANCLIP_BF16 = 'off';
    expect(() => torch.hasBfloat16('cpu')).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining("is 'off'") as string }),
    );
  });
});
