import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Nested, type Tensor, torch } from '../../src/torch';
import { GradScaler, type GradScalerOptions, type GradScalerState } from '../../src/torch/grad_scaler';
import { AdamW } from '../../src/torch/optim';
import { python } from './python';

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-scaler-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Step {
  scale: number;
  parameters: Nested[];
  counted: number[];
}

const parameters = [[0.5, -1.25, 3], [2]];
/** Gradients step by step; 1e38 overflows when it is scaled. */
// prettier-ignore
const gradients = [
  [[0.1, 2, -3], [0.4]], [[1e38, 0, 0], [1]], [[0.2, -1, 1e-6], [1e38]], [[0.3, 3, 0], [-0.2]],
  [[1, 1, 1], [1]], [[0.5, 0.25, 2], [0]], [[-1, 2, 1], [3]], [[0.7, 0.1, 0.3], [0.9]],
];
const options: GradScalerOptions = { initScale: 1000, growthFactor: 3, backoffFactor: 0.25, growthInterval: 2 };
const inPython = { init_scale: 1000, growth_factor: 3, backoff_factor: 0.25, growth_interval: 2 };

/** The same steps as grad_scaler.py. */
function steps(scaler: GradScaler, given: number[][][]): Step[] {
  const own = parameters.map((values) => torch.tensor(values, { dtype: 'float32', requiresGrad: true }));
  const optimizer = new AdamW([{ parameters: own, weightDecay: 0.1 }], { lr: 0.1 });
  return given.map((each) => {
    optimizer.zeroGrad();
    const loss = own
      .map((parameter, i) => parameter.mul(torch.tensor(each[i], { dtype: 'float32' })).sum())
      .reduce((sum, term) => sum.add(term));
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    const counted = Object.values(optimizer.stateDict().state).map((state) => (state as { step: Tensor }).step.item());
    return { scale: scaler.getScale(), parameters: own.map((parameter) => parameter.toArray()), counted };
  });
}

const [theirs, ours] = ['python.pt', 'node.pt'].map((name) => join(folder, name));
const [before, after] = [gradients.slice(0, 4), gradients.slice(4)];
let [expected, fromDefaults]: Step[][] = [];

beforeAll(() => {
  const jobs = [
    { parameters, gradients, options: inPython },
    { parameters, gradients: gradients.slice(0, 1), options: {} },
    { parameters, gradients: before, options: inPython, save: theirs },
  ];
  [expected, fromDefaults] = python('grad_scaler.py', jobs) as Step[][];
});

test('scales, skips and counts as Python does, number by number', () => {
  expect(new Set(expected.map(({ scale }) => scale)).size).toBeGreaterThan(3);
  expect(steps(new GradScaler({ device: 'cpu', ...options }), gradients)).toEqual(expected);
});

test('begins as in Python', () => {
  expect(steps(new GradScaler({ device: 'cpu' }), gradients.slice(0, 1))).toEqual(fromDefaults);
});

test("goes on from the state that Python saved, and Python from this one's", () => {
  const scaler = new GradScaler({ device: 'cpu' });
  scaler.loadStateDict((torch.load(theirs) as { scaler: GradScalerState }).scaler);
  torch.save({ scaler: scaler.stateDict() }, ours);
  const [continued] = python('grad_scaler.py', [{ parameters, gradients: after, options: {}, load: ours }]) as Step[][];
  expect(steps(scaler, after)).toEqual(continued);
});
