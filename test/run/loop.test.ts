import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { CleanclipError } from '../../src/errors';
import { BackgroundWrites } from '../../src/run/background_writes';
import { trainLoop } from '../../src/run/loop';
import type { Agreed, LoopBatch, LoopParts } from '../../src/run/loop_parts';
import { torch } from '../../src/torch';

type Parts = LoopParts<LoopBatch, Agreed, { loss: number }>;

/** Runs the loop over 2 epochs of 3 batches with steps that only count; what happens is noted in order. */
async function run(
  more: Partial<Parts> = {},
  events: string[] = [],
): Promise<{ events: string[]; error?: CleanclipError; held: number }> {
  let held = 0;
  const batch = (index: number): LoopBatch => ({ index, rows: [0, 1], dispose: () => void held-- });
  const parts: Parts = {
    name: 'Counting',
    start: { epoch: 0, batch: 0, step: 0 },
    end: { epoch: 2, step: 6 },
    batchesPerEpoch: () => 3,
    *batches(_, startBatch) {
      for (let index = startBatch; index < 3; index++) {
        held++;
        yield batch(index);
      }
    },
    optimizer: { lr: 0 },
    learningRate: ({ step }) => step / 10,
    step: () => () => ({ loss: 1 }),
    reporter: {
      startEpoch: () => {},
      dataReady: () => {},
      stepDone: (_, { step, lr }) => void events.push(`step ${step} lr ${lr}`),
    },
    diverged: (loss, { epoch, step }) => `${loss} at step ${step} of epoch ${epoch}`,
    warn: (warning) => events.push(warning),
    save({ epoch, batch: done, step }) {
      events.push(`save ${epoch}.${done}, step ${step}`);
      return Promise.resolve();
    },
    onEpoch: (_, save) => save(),
    ...more,
  };
  const error = await trainLoop(parts).then(
    () => undefined,
    (reason: CleanclipError) => reason,
  );
  return { events, error, held };
}

/** A step that does something before one of its calls, which count from 1. */
function stepWith(call: number, before: () => unknown): Parts['step'] {
  let calls = 0;
  return () => {
    const loss = ++calls === call ? before() : 1;
    return () => ({ loss: typeof loss === 'number' ? loss : 1 });
  };
}

test('reports each step, saves each epoch and every so many steps, and ends at the last step', async () => {
  const { events, error } = await run({ saveEverySteps: 2, end: { epoch: 2, step: 5 } });
  expect(error).toBeUndefined();
  expect(events).toEqual([
    ...['step 1 lr 0', 'step 2 lr 0.1', 'save 0.2, step 2', 'step 3 lr 0.2', 'save 1.0, step 3'],
    ...['step 4 lr 0.3', 'save 1.1, step 4', 'step 5 lr 0.4', 'save 1.2, step 5'],
  ]);
});

test('goes on in the middle of an epoch', async () => {
  const { events } = await run({ start: { epoch: 1, batch: 1, step: 4 }, resumed: true });
  expect(events).toEqual(['step 5 lr 0.4', 'step 6 lr 0.5', 'save 2.0, step 6']);
});

test('writes nothing where nothing is left to do and its checkpoint is there', async () => {
  expect((await run({ start: { epoch: 2, batch: 0, step: 6 }, saved: true })).events).toEqual([]);
});

test.each([false, true])('saves the last sound step on any error, read late: %p', async (late) => {
  const fault = new Error('no memory');
  const { events, error } = await run({
    late,
    step: stepWith(3, () => {
      throw fault;
    }),
  });
  expect(error).toBe(fault);
  expect(events.slice(-3)).toEqual([
    'step 2 lr 0.1',
    'save 0.2, step 2',
    'Stopped at step 2; --resume auto goes on from there.',
  ]);
});

test.each([false, true])('never saves a step whose loss is no number, read late: %p', async (late) => {
  const { events, error } = await run({ late, saveEverySteps: 1, step: stepWith(3, () => NaN) });
  expect(error).toMatchObject({ code: 'ERR_DATA', message: 'NaN at step 3 of epoch 1' });
  expect(events).toEqual(['step 1 lr 0', 'save 0.1, step 1', 'step 2 lr 0.1', 'save 0.2, step 2']);
});

test('never saves weights that are no numbers, whatever the loss before them', async () => {
  const weight = torch.tensor([1, 2]);
  const step = stepWith(2, () => void weight.fill_(Infinity));
  const { events, error } = await run({ saveEverySteps: 1, weights: () => [torch.tensor([3]), weight], step });
  expect(error).toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/^The weights are not finite after step 2; lower --lr/),
  });
  expect(events).toEqual(['step 1 lr 0', 'save 0.1, step 1', 'step 2 lr 0.1']);
});

test('a checkpoint that cannot be written ends the run with what the disk says', async () => {
  const full = new CleanclipError('The disk is full.', 'ERR_DATA');
  const save = (): Promise<void> => Promise.reject(full);
  expect((await run({ save })).error).toBe(full);
  const abort = new AbortController();
  const step = stepWith(2, () => abort.abort());
  expect((await run({ save, step, signal: abort.signal })).error).toBe(full); // more than that it was stopped
});

test('stops by its signal, and says where; without checkpoints it does not promise to go on', async () => {
  const stopped = async (more: Partial<Parts>): ReturnType<typeof run> => {
    const abort = new AbortController();
    return run({ signal: abort.signal, step: stepWith(2, () => abort.abort()), ...more });
  };
  const { events, error } = await stopped({});
  expect(events.at(-2)).toBe('save 0.2, step 2');
  expect(error).toMatchObject({
    code: 'ERR_ABORTED',
    message: 'Counting was stopped at step 2; it is saved, and --resume auto goes on.',
  });
  expect((await stopped({ save: undefined })).error?.message).toBe('Counting was stopped at step 2.');
});

describe('a write in the background', () => {
  const full = new CleanclipError('The disk is full.', 'ERR_DATA');

  /**
   * Runs with the first save at step 2, which is still being written at step 3: then `during` is called, and `end` ends
   * the write. Later ones take a turn of the event loop.
   */
  async function held(
    during: (end: (error?: Error) => void) => unknown,
    more: Partial<Parts> = {},
  ): ReturnType<typeof run> {
    const events: string[] = [];
    const writes = new BackgroundWrites();
    let end: (error?: Error) => void = () => {};
    const first = new Promise<void>((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error));
    });
    const save: Parts['save'] = ({ step }) =>
      writes.start(async () => {
        events.push(`begin ${step}`);
        await (step === 2 ? first : yieldToEvents());
        events.push(`end ${step}`);
      });
    const step = stepWith(3, () => during(end));
    return run({ writes, save, saveEverySteps: 2, end: { epoch: 2, step: 4 }, step, ...more }, events);
  }

  test('holds up no step, but the next save, and the end', async () => {
    const { events, error } = await held((end) => void setImmediate(end), { onEpoch: undefined, saveEverySteps: 2 });
    expect(error).toBeUndefined();
    expect(events.slice(1)).toEqual([
      ...['step 2 lr 0.1', 'begin 2', 'step 3 lr 0.2', 'end 2', 'step 4 lr 0.3', 'begin 4', 'end 4'],
    ]);
    const atOnce = await held((end) => void setImmediate(end)); // the epoch's save, after step 3
    expect(atOnce.events.slice(3, 6)).toEqual(['step 3 lr 0.2', 'end 2', 'begin 3']);
  });

  test('that fails ends the run at the next step, whose state is saved', async () => {
    const { events, error } = await held((end) => end(full), { batchesPerEpoch: () => 9 });
    expect(error).toBe(full);
    expect(events.slice(3)).toEqual([
      ...['step 3 lr 0.2', 'begin 3', 'end 3', 'Stopped at step 3; --resume auto goes on from there.'],
    ]);
  });

  test('is finished before the run ends by its signal, with the last step saved', async () => {
    const abort = new AbortController();
    const { events, error } = await held(
      (end) => {
        abort.abort();
        setImmediate(end);
      },
      { signal: abort.signal, saveEverySteps: 2 },
    );
    expect(error).toMatchObject({ code: 'ERR_ABORTED', message: expect.stringContaining('stopped at step 3; it is') });
    expect(events.slice(4, 7)).toEqual(['end 2', 'begin 3', 'end 3']);
  });

  test('is finished before the run ends by a loss that is no number', async () => {
    const { events, error } = await held((end) => {
      setImmediate(end);
      return NaN;
    });
    expect(error).toMatchObject({ code: 'ERR_DATA', message: 'NaN at step 3 of epoch 1' });
    expect(events.slice(2)).toEqual(['begin 2', 'end 2']);
  });
});

describe('several ranks', () => {
  test('leave out a batch of which one has too few rows, which counts as a step', async () => {
    const skipped: number[] = [];
    const counts = [
      [2, 2],
      [2, 0],
      [1, 2],
      [2, 2],
      [2, 2],
      [2, 1],
    ];
    let told = 0;
    const { events, held } = await run({
      agree: async () => Promise.resolve({ stop: false, counts: counts[told++] }),
      leastRows: 1,
      onSkip: (batch) => skipped.push(batch),
    });
    expect(skipped).toEqual([2]);
    expect(events.filter((event) => event.startsWith('step')).map((event) => event.split(' ')[1])).toEqual([
      '1',
      '3',
      '4',
      '5',
      '6',
    ]);
    expect(held).toBe(0);
  });

  test('stop together when one is asked to', async () => {
    let told = 0;
    const { events, error, held } = await run({
      agree: async () => Promise.resolve({ stop: ++told === 5, counts: [2, 2] }),
    });
    expect(error?.message).toBe('Counting was stopped at step 4; it is saved, and --resume auto goes on.');
    expect(events.at(-2)).toBe('save 1.1, step 4');
    expect(held).toBe(0);
  });
});
