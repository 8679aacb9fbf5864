import { type Nested, type Tensor, torch } from '../../src/torch';
import { python } from './python';

interface Plain {
  dtype: string;
  shape: number[];
  values: Nested;
}
type Result = Plain | Plain[];

const plain = (value: Tensor | Tensor[]): Result =>
  Array.isArray(value)
    ? value.map((item) => plain(item) as Plain)
    : { dtype: value.dtype, shape: value.shape, values: value.toArray() };

/** The same draws as `draw` in torch_numbers.py, in the same order. */
function draw(seed: number): Record<string, Tensor> {
  torch.manualSeed(seed);
  return {
    rand: torch.rand([5]),
    'rand of many': torch.rand([100]).sum(),
    'rand float64': torch.rand([3], { dtype: 'float64' }),
    'rand bfloat16': torch.rand([8], { dtype: 'bfloat16' }).to('float32'),
    randn: torch.randn([5]),
    'randn of many': torch.randn([2, 20]),
    'randn float64': torch.randn([17], { dtype: 'float64' }),
    randint: torch.randint(-5, 100, [7]),
    'randint int32': torch.randint(0, 2 ** 20, [7], { dtype: 'int32' }),
    randperm: torch.randperm(12),
    normal_: torch.empty([6]).normal_(2, 3),
    uniform_: torch.empty([3]).uniform_(-1, 1),
    bernoulli: torch.bernoulli(torch.full([10], 0.3)),
    bernoulli_: torch.empty([10]).bernoulli_(0.5),
    exponential_: torch.empty([4]).exponential_(2),
    random_: torch.empty([4], { dtype: 'int64' }).random_().remainder(1_000_003),
    dropout: torch.dropout(torch.ones([16]), 0.5, true),
    multinomial: torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 6, true),
    poisson: torch.poisson(torch.tensor([1, 5, 20])),
    'own generator': torch.randn([4], { generator: new torch.Generator(seed + 1) }),
    'randperm, own generator': torch.randperm(9, { generator: new torch.Generator(seed + 1) }),
    'rand after all': torch.rand([3]),
  };
}

/** The same computations as `compute` in torch_numbers.py. */
function compute(): Record<string, Tensor | Tensor[]> {
  const x = torch.linspace(-2, 2, 12).reshape([3, 4]).requires_grad_();
  const w = torch.linspace(1, -1, 8).reshape([2, 4]).requires_grad_();
  const y = torch.linear(x, w).tanh();
  const [dx] = torch.grad(y.pow(2).sum(), x, { createGraph: true }) as Tensor[];
  dx.pow(2).sum().backward();
  const [half, loss] = torch.autocast({ dtype: 'bfloat16' }, () => {
    const product = x.mm(w.t());
    return [product, torch.cross_entropy_loss(product, torch.tensor([0n, 1n, 0n]))];
  });
  return {
    'linear, tanh': y,
    gradient: dx,
    'second gradient': [x.grad as Tensor, w.grad as Tensor],
    autocast: half.to('float32'),
    'autocast dtype, loss': loss,
    'std, var, mean': [x.std([0]), x.var([1], false), x.mean()],
    topk: x.topk(2, 1),
    softmax: x.softmax(1),
    'layer norm': torch.layer_norm(x, [4]),
    conv: torch.conv2d(x.reshape([1, 1, 3, 4]), w.reshape([1, 1, 2, 4]), { padding: 1 }),
    promotion: [
      torch.tensor([1n]).add(1.5),
      torch.tensor([1], { dtype: 'uint8' }).add(torch.tensor([300], { dtype: 'int16' })),
    ],
  };
}

describe.each([0, 42, 2 ** 40 + 3])('the same numbers from seed %i', (seed) => {
  const expected = python('torch_numbers.py', { job: 'draw', seed }) as Record<string, Result>;
  const drawn = draw(seed);

  test.each(Object.keys(drawn))('%s', (name) => {
    expect(plain(drawn[name])).toEqual(expected[name]);
  });
});

describe('the same results', () => {
  const expected = python('torch_numbers.py', { job: 'compute' }) as Record<string, Result>;
  const computed = compute();

  test.each(Object.keys(computed))('%s', (name) => {
    const close = (one: Plain, other: Plain) => {
      expect([one.dtype, one.shape]).toEqual([other.dtype, other.shape]);
      const theirs = [other.values].flat(9) as number[];
      ([one.values].flat(9) as number[]).forEach((value, i) =>
        expect(Math.abs(value - theirs[i])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(theirs[i]))),
      );
    };
    const [ours, theirs] = [[plain(computed[name])].flat(), [expected[name]].flat()];
    expect(ours).toHaveLength(theirs.length);
    ours.forEach((one, i) => close(one, theirs[i]));
  });
});
