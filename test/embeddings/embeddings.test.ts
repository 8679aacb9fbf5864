import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { evaluate, train } from '../../src/jobs';
import { embed, linearProbe, retrieval, zeroshot } from '../../src/jobs/embeddings';
import { type Tensor, torch } from '../../src/torch';
import { loadMetadata } from '../../src/torch/serialization';
import { python } from '../parity/python';
import { command } from '../support/command';
import { classes, drawShapes } from '../support/pairs';

let set: string; // drawings
let folder: string; // what is written
let checkpoint: string;
const fp32 = { precision: 'fp32', numWorkers: 0 } as const;

beforeAll(async () => {
  set = await drawShapes(10);
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-embeddings-'));
  const options = { ...fp32, modelName: join(set, 'model.json'), logs: folder, name: 'run', seed: 1 };
  const trained = { trainData: join(set, 'train.csv'), epochs: 8, batchSize: 12, lr: 3e-3, numWarmupSteps: 5 };
  ({ checkpoint } = await train({ ...options, ...trained }));
}, 60_000);
afterAll(() => [set, folder].forEach((path) => rmSync(path, { recursive: true, force: true })));

const output = (name: string): string => join(folder, `${name}.safetensors`);
const load = (path: string): Record<string, Tensor> => torch.load(path) as Record<string, Tensor>;
const integers = (tensor: Tensor): number[] => Array.from(tensor.data() as BigInt64Array, Number);

/** A csv with so many captions for each drawing, of which one image is missing. */
function captioned(captions: number): string {
  const rows = classes.flatMap((name, label) =>
    Array.from({ length: captions }, (_, i) => `${join(set, `images/${label}_0.png`)},"a ${name}, number ${i}"`),
  );
  rows.splice(4, 0, `${join(set, 'images/none.png')},an image that is missing`);
  const path = join(folder, `captions${captions}.csv`);
  writeFileSync(path, ['image,caption', ...rows].join('\n'));
  return path;
}

const triggered = { patchType: 'yellow', patchLocation: 'random', patchSize: 12, label: classes[4], seed: 3 } as const;

test('zero-shot accuracy and attack success on stored embeddings are those of the model', async () => {
  const test = join(set, 'test');
  const embeddings = output('test');
  const given = { ...fp32, ...triggered, checkpoint, evalTestDataDir: test };
  expect(await embed({ ...given, addBackdoor: true, output: embeddings })).toEqual({
    output: embeddings,
    images: classes.length,
    texts: classes.length,
    width: 32,
  });
  const measured = await evaluate({ ...given, logs: folder, name: 'measured', asr: true });
  expect(await zeroshot({ embeddings })).toEqual(measured);
  expect(measured.zeroshot_top3).toBeGreaterThan(0.3);
  const { ended } = command('cleanclip', ['zeroshot', '--embeddings', embeddings, '--k', '1', '4'], folder);
  const { stdout, code } = await ended;
  expect(code).toBe(0);
  expect(stdout).toContain(`zeroshot_top1: ${measured.zeroshot_top1.toFixed(4)}\nzeroshot_top4: `);
});

test('the linear probe on stored embeddings is that of the model', async () => {
  const given = { ...fp32, checkpoint };
  const [trainEmbeddings, testEmbeddings] = [output('probe_train'), output('probe_test')];
  await embed({ ...given, evalTrainDataDir: join(set, 'test'), output: trainEmbeddings });
  await embed({ ...given, evalTestDataDir: join(set, 'test'), output: testEmbeddings });
  const probe = { batchSize: 5, numEpochs: 7, seed: 2 };
  const measured = await evaluate({
    ...given,
    ...{ logs: folder, name: 'probe', linearProbe: true, seed: 2, linearProbeBatchSize: 5, linearProbeNumEpochs: 7 },
    ...{ evalTrainDataDir: join(set, 'test'), evalTestDataDir: join(set, 'test') },
  });
  expect(await linearProbe({ trainEmbeddings, testEmbeddings, ...probe })).toEqual({
    linear_probe_accuracy: measured.linear_probe_accuracy,
  });
  const other = await linearProbe({ trainEmbeddings, testEmbeddings, ...probe, numEpochs: 200, lr: 0.1 });
  expect(other.linear_probe_accuracy).toBeGreaterThan(measured.linear_probe_accuracy);
});

test('rows that name one image share its embedding, and those without an image are left out', async () => {
  const csv = captioned(3);
  const path = output('pairs');
  const args = ['embed', '--checkpoint', checkpoint, '--train_data', csv, '--output', path, '--precision', 'fp32'];
  const { stdout, code } = await command('cleanclip', args, folder).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('1 of 13 images are left out, for they cannot be read. The first is row 5: ');
  expect(stdout).toContain(`12 images and 36 captions, width 32, are embedded in ${path}`);
  const { image_embeddings: unit, un_image_embeddings: raw, text_embeddings: texts, ...rest } = load(path);
  expect([unit.shape, raw.shape, texts.shape]).toEqual([
    [12, 32],
    [12, 32],
    [36, 32],
  ]);
  expect(integers(rest.image_of_text)).toEqual(Array.from({ length: 36 }, (_, i) => Math.floor(i / 3)));
  expect(integers(rest.text_rows)).toEqual(Array.from({ length: 37 }, (_, i) => i).filter((i) => i !== 4));
  expect(integers(rest.image_rows).slice(0, 3)).toEqual([0, 3, 7]);
  for (const [part, whole] of [
    [raw.div(raw.norm(2, [1], true)), unit],
    [torch.ones([12]), unit.norm(2, [1])],
    [torch.ones([36]), texts.norm(2, [1])],
  ])
    expect(part.sub(whole).abs().max().item()).toBeLessThan(1e-6);
  const metadata = loadMetadata(path)!;
  expect(metadata).toMatchObject({ source: csv, checkpoint });
  expect((JSON.parse(metadata.images) as string[])[1]).toBe(join(set, 'images/1_0.png'));
});

test('retrieval from a csv is that from stored embeddings, and the Python recall is added', async () => {
  const file = captioned(5);
  const embeddings = output('five');
  await embed({ ...fp32, checkpoint, trainData: file, output: embeddings });
  const [stored] = await retrieval({ embeddings: [embeddings] });
  const given = { ...fp32, checkpoint, inputFile: [file, captioned(2)] };
  const [five, two] = await retrieval({ ...given, compat: 'reference' });
  const { reference_txt_r1, reference_txt_r5, reference_txt_r10, ...metrics } = five;
  expect(metrics).toEqual({ ...stored, file });
  expect(two.texts).toBe(24);
  expect(reference_txt_r1).toBeCloseTo(80 + five.txt_r1 / 5, 10);
  expect(reference_txt_r5).toBeCloseTo(80 + five.txt_r5 / 5, 10);
  expect(reference_txt_r10).toBeCloseTo(80 + five.txt_r10 / 5, 10);
  expect(five.txt_r5).toBeGreaterThan(45);
  const { stdout } = await command('cleanclip', ['retrieval', '--embeddings', embeddings], folder).ended;
  const [names, values] = stdout.split('\n').map((line) => line.trim().split(/ +/));
  expect(values[names.indexOf('img_r5')]).toBe(stored.img_r5.toFixed(2));
});

test('poisoned rows are marked', async () => {
  const csv = join(folder, 'poisoned.csv');
  const image = (label: number): string => join(set, `images/${label}_0.png`);
  writeFileSync(csv, `image,caption,is_backdoor\n${image(0)},a,0\n${image(1)},b,1\n${image(0)},c,0`);
  await embed({ ...fp32, checkpoint, trainData: csv, output: output('poisoned') });
  expect(load(output('poisoned')).is_backdoor.toArray()).toEqual([0, 1, 0]);
});

describe('refuses', () => {
  const rows: [string, () => Promise<unknown>, string][] = [
    ['no model', () => embed({ trainData: 'a.csv', output: 'a.safetensors' }), '--checkpoint is missing: expected the'],
    [
      'no set',
      () => embed({ checkpoint, output: 'a.safetensors' }),
      'Expected one of --train_data, --eval_test_data_dir and --eval_train_data_dir, the set to embed, but there is',
    ],
    [
      'another extension',
      () => embed({ checkpoint, trainData: 'a.csv', output: 'a.npz' }),
      "--output must end with .safetensors, but is 'a.npz'.",
    ],
    [
      'a trigger for pairs',
      () => embed({ checkpoint, trainData: 'a.csv', output: 'a.safetensors', addBackdoor: true }),
      '--add_backdoor is for a labelled set; leave it or --train_data out.',
    ],
    [
      'a missing image, strictly',
      () => embed({ ...fp32, checkpoint, trainData: captioned(1), output: output('strict'), strict: true }),
      'Row 5 cannot be used.',
    ],
    [
      'a class that is none',
      () =>
        embed({
          ...{ ...fp32, checkpoint, evalTestDataDir: join(set, 'test'), addBackdoor: true, label: 'banana' },
          output: output('strict'),
        }),
      '--label must be one of the 12 classes (red circle, red square, ',
    ],
    ['a checkpoint as embeddings', () => zeroshot({ embeddings: checkpoint }), 'must be a safetensors file of'],
    [
      'pairs for zero-shot',
      () => zeroshot({ embeddings: output('five') }),
      'has no tensor labels; make it with cleanclip embed --eval_test_data_dir.',
    ],
    ['more than the classes', () => zeroshot({ embeddings: output('test'), k: [13] }), '--k must be at most 12'],
    [
      'sets for retrieval',
      () => retrieval({ embeddings: [output('test')] }),
      'has no tensor image_of_text; make it with cleanclip embed --train_data.',
    ],
    ['neither of two inputs', () => retrieval({}), 'Expected either --input_file, the pairs to embed, or --embeddings'],
    [
      'tensors that do not fit',
      () => {
        const tensors = load(output('test'));
        torch.save({ ...tensors, labels: tensors.labels.narrow(0, 0, 3) }, output('torn'));
        return zeroshot({ embeddings: output('torn') });
      },
      'must be int64 [12], but is int64 [3]; embed the set again.',
    ],
    [
      'other classes',
      () => {
        torch.save(load(output('probe_test')), output('unnamed'));
        return linearProbe({ trainEmbeddings: output('probe_train'), testEmbeddings: output('unnamed') });
      },
      'or others: expected the same classes.',
    ],
  ];
  test.each(rows)('%s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
    expect(existsSync(output('strict'))).toBe(false);
  });
});

test('a job that is stopped leaves no file', async () => {
  const rows = Array.from({ length: 500 }, (_, i) => `${join(set, `images/${i % 12}_${i % 10}.png`)},caption ${i}`);
  writeFileSync(join(folder, 'long.csv'), ['image,caption', ...rows].join('\n'));
  for (const part of ['images', 'captions']) {
    const abort = new AbortController();
    const job = embed({
      ...{ ...fp32, checkpoint, trainData: join(folder, 'long.csv'), output: output('long'), batchSize: 8 },
      onProgress: (event) => event.type === 'progress' && event.text === `${part} embedded` && abort.abort(),
      signal: abort.signal,
    });
    await expect(job).rejects.toMatchObject({
      message: 'Embedding was stopped; nothing was written.',
      code: 'ERR_ABORTED',
    });
  }
  expect(readdirSync(folder).filter((name) => name.includes('long'))).toEqual(['long.csv']);
});

test("Python's safetensors reads the files, and computes the same recall", async () => {
  const file = captioned(5);
  const embeddings = output('python');
  await embed({ ...fp32, checkpoint, trainData: file, output: embeddings });
  const [ours] = await retrieval({ embeddings: [embeddings], compat: 'reference' });
  const theirs = python('retrieval.py', { embeddings }) as Record<string, unknown>;
  expect(theirs.shapes).toEqual({
    image_embeddings: [12, 32],
    un_image_embeddings: [12, 32],
    text_embeddings: [60, 32],
    image_rows: [12],
    image_of_text: [60],
    text_rows: [60],
  });
  expect(theirs.metadata).toMatchObject({ source: file, checkpoint });
  for (const [name, value] of Object.entries(theirs.recall as object))
    expect(ours[name as 'txt_r1']).toBeCloseTo(value as number, 10);
  expect(Object.keys(theirs.recall as object)).toHaveLength(9);
});
