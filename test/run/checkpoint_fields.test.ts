import { CleanclipError } from '../../src/errors';
import { fieldsOf } from '../../src/run/checkpoint_fields';
import { torch } from '../../src/torch';
import { GradScaler, type GradScalerState } from '../../src/torch/grad_scaler';
import { AdamW, type OptimizerState } from '../../src/torch/optim';
import { IntDict, PyObject } from '../../src/torch/serialization';

const groups = [{ lr: 0.1, params: [0] }];
const moment = (): object => ({ step: torch.tensor(2), exp_avg: torch.ones([2]), exp_avg_sq: torch.ones([2]) });
const good = (): object => ({ state: new IntDict([[0, moment()]]), param_groups: groups });

const optimizers: [name: string, value: unknown, reason: RegExp][] = [
  ['an empty object', {}, /no state_dict of an optimizer/],
  ['a text', 'AdamW', /no state_dict/],
  ['a number', 5, /no state_dict/],
  ['an array', [], /no state_dict/],
  ['a record of another class', new PyObject('torch.optim.sgd.SGD'), /no state_dict/],
  ['no state', { param_groups: groups }, /no state_dict/],
  ['a state of null', { state: null, param_groups: groups }, /no state_dict/],
  ['no groups', { state: {} }, /no state_dict/],
  ['groups that are a number', { state: {}, param_groups: 5 }, /no state_dict/],
  ['a group of null', { state: {}, param_groups: [null] }, /not lists of integers/],
  ['a group without params', { state: {}, param_groups: [{}] }, /not lists of integers/],
  ['params that are a number', { state: {}, param_groups: [{ params: 5 }] }, /not lists of integers/],
  ['params that are texts', { state: {}, param_groups: [{ params: ['a'] }] }, /not lists of integers/],
  ['an entry of null', { state: new IntDict([[0, null]]), param_groups: groups }, /another optimizer than AdamW/],
  ['an entry without moments', { state: new IntDict([[0, {}]]), param_groups: groups }, /another optimizer/],
  [
    'the momentum of SGD',
    { state: new IntDict([[0, { momentum_buffer: torch.ones([2]) }]]), param_groups: groups },
    /another optimizer/,
  ],
  [
    'the averages of RMSprop',
    { state: new IntDict([[0, { step: torch.tensor(1), square_avg: torch.ones([2]) }]]), param_groups: groups },
    /another optimizer/,
  ],
  [
    'moments that are numbers',
    { state: new IntDict([[0, { step: 1, exp_avg: 1, exp_avg_sq: 1 }]]), param_groups: groups },
    /another optimizer/,
  ],
  [
    'no step',
    { state: new IntDict([[0, { ...moment(), step: undefined }]]), param_groups: groups },
    /no number of steps/,
  ],
  [
    'a step that is a text',
    { state: new IntDict([[0, { ...moment(), step: '2' }]]), param_groups: groups },
    /no number of steps/,
  ],
  [
    'a step of NaN',
    { state: new IntDict([[0, { ...moment(), step: NaN }]]), param_groups: groups },
    /no number of steps/,
  ],
  [
    'a step of two elements',
    { state: new IntDict([[0, { ...moment(), step: torch.ones([2]) }]]), param_groups: groups },
    /no number of steps/,
  ],
];

test.each(optimizers)('an optimizer that is %s is not taken, and said so', (_, optimizer, reason) => {
  const fields = fieldsOf({ epoch: 1, optimizer }, 'x.pt');
  expect(fields).toMatchObject({ epoch: 1, optimizer: undefined, untaken: [expect.stringMatching(reason)] });
  expect(fields.untaken[0]).toMatch(/^The optimizer of 'x\.pt' is not taken: /);
  const own = new AdamW([{ parameters: [torch.ones([2])], weightDecay: 0 }], { lr: 0.1 });
  expect(() => own.loadStateDict(optimizer as OptimizerState)).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT' }),
  );
});

test.each([
  ['none', {}, 0],
  ['null', { epoch: null }, 0],
  ['a number', { epoch: 3 }, 3],
  ['a tensor', { epoch: torch.tensor(3) }, 3],
  ['a tensor of one element', { epoch: torch.ones([1], { dtype: 'int64' }) }, 1],
])('an epoch that is %s', (_, content, epoch) =>
  expect(fieldsOf(content, 'x.pt')).toMatchObject({ epoch, batch: 0, step: 0, untaken: [] }),
);

test.each([
  1e308,
  Infinity,
  NaN,
  -1,
  2.5,
  '2',
  2n ** 80n,
  {},
  [],
  new PyObject('datetime.date'),
  torch.ones([2]),
  true,
])('%p is no epoch, batch or step', (value) => {
  for (const name of ['epoch', 'batch', 'step']) {
    expect(() => fieldsOf({ [name]: value }, 'x.pt')).toThrow(
      expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(`as its ${name}`) }),
    );
  }
});

test('what fits is taken', () => {
  const scaler = { scale: 2, growth_factor: 2, backoff_factor: 0.5, growth_interval: 10, _growth_tracker: 0 };
  const order = { examples: 4, batchSize: 2, seed: 1 };
  const fields = fieldsOf({ optimizer: good(), scaler, order }, 'x.pt');
  expect(fields).toMatchObject({ scaler, order, untaken: [] });
  expect(fields.optimizer).toBeDefined();
  expect(fieldsOf({ optimizer: null, scaler: {}, order: null }, 'x.pt').untaken).toEqual([]);
});

test.each([
  5,
  'x',
  [],
  { scale: 'x' },
  { scale: NaN, growth_factor: 2, backoff_factor: 0.5, growth_interval: 10, _growth_tracker: 0 },
])('%p is no scaler', (scaler) => {
  expect(fieldsOf({ scaler }, 'x.pt').untaken).toEqual([
    expect.stringContaining('not the state of a torch.amp.GradScaler'),
  ]);
  expect(() => new GradScaler({ device: 'cpu' }).loadStateDict(scaler as unknown as GradScalerState)).toThrow(
    CleanclipError,
  );
});

test.each([5, 'x', [], {}, { examples: 1, batchSize: 2 }, { examples: 1, batchSize: 2, seed: 'x' }])(
  '%p is no order',
  (order) => {
    expect(fieldsOf({ order }, 'x.pt').untaken).toEqual([
      expect.stringContaining('does not say rows, batch size and seed'),
    ]);
  },
);
