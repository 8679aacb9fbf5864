// Jobs of the Python code that no other test runs by its commands, each as a user goes from files to a result.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { command } from '../support/command';
import { cifarPickle, noise } from '../support/labelled_sets';
import { drawShapes } from '../support/pairs';

jest.setTimeout(60_000);

let folder: string;
const at = (name: string): string => join(folder, name);
const lines = (name: string): string[] => readFileSync(at(name), 'utf8').trim().split('\n');

/** Runs a command to its end, and returns what it prints. */
async function run(line: string): Promise<string> {
  const [program, ...args] = line.split(' ');
  const { code, stdout, stderr } = await command(program as 'cleanclip', args, folder).ended;
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

const poisoned = 'backdoor_banana_blended_blended_16_40_6.csv';
const checkpoint = 'logs/poisoned/checkpoints/epoch_1.pt';
beforeAll(async () => {
  folder = await drawShapes(4); // 48 pairs
  const attack = '--num_backdoor 6 --patch_type blended --patch_location blended --image_size 32';
  const poison = `cleanclip poison --train_data train.csv --templates test/classes.json --size_train_data 40 ${attack}`;
  expect(await run(poison)).toMatch(new RegExp(`^6 rows are poisoned; the set is .*${poisoned}\n$`));
  const training = '--batch_size 8 --epochs 1 --num_warmup_steps 2 --num_workers 1';
  await run(`cleanclip-train --name poisoned --train_data ${poisoned} --model_name model.json ${training}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the attack success rate on a known set, by type and place of the patch', async () => {
  const count = 20;
  mkdirSync(at('cifar-10-batches-py'));
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  writeFileSync(at('cifar-10-batches-py/test_batch'), cifarPickle(noise(3072 * count, 7), labels));
  const set = '--eval_data_type CIFAR10 --eval_test_data_dir .';
  const patch = '--add_backdoor --asr --patch_type blended --patch_location blended --label airplane';
  const stdout = await run(`cleanclip-train --name asr --checkpoint ${checkpoint} ${set} ${patch}`);
  for (const metric of ['zeroshot_top1', 'triggered_zeroshot_top1', 'asr_top1', 'asr_top10'])
    expect(stdout).toMatch(new RegExp(`\\| ${metric}: [01]\\.\\d{4}$`, 'm'));
  const record = JSON.parse(lines('logs/asr/metrics.jsonl').at(-1)!) as Record<string, unknown>;
  expect(record).toMatchObject({ images: count, triggered_images: 18 }); // two are airplanes
  expect(lines('results.csv').at(-1)).toMatch(/^asr,"\{'zeroshot_top1': .*'asr_top1': /);
});

test('retrieval with five captions an image, on several prepared sets', async () => {
  const captions = ['first', 'second', 'third', 'fourth', 'fifth'];
  const comments = [0, 1, 2].flatMap((image) =>
    captions.map((word, i) => `${image}_0.png| ${i}| The ${word} caption of ${image} .`),
  );
  writeFileSync(at('results.flickr'), ['image_name| comment_number| comment', ...comments].join('\n'));
  const images = [3, 4].map((image) => ({
    ...{ filename: `${image}_0.png`, split: 'test' },
    sentences: captions.map((word) => ({ raw: `${word} words of ${image}` })),
  }));
  writeFileSync(at('coco.json'), JSON.stringify({ images }));
  const prepare = (set: string, input: string, output: string): Promise<string> =>
    run(`cleanclip prepare ${set} --input ${input} --images images --output ${output}`);
  expect(await prepare('flickr30k', 'results.flickr', 'flickr.csv')).toMatch(/flickr\.csv has 15 rows of 3 images\n$/);
  expect(await prepare('mscoco', 'coco.json', 'coco.csv')).toMatch(/coco\.csv has 10 rows of 2 images\n$/);

  const stdout = await run(`cleanclip retrieval --checkpoint ${checkpoint} --input_file flickr.csv coco.csv`);
  const [head, ...rows] = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  expect(rows.map((row) => row.slice(0, 3))).toEqual([
    ['flickr.csv', '3', '15'],
    ['coco.csv', '2', '10'],
  ]);
  const recalls = head.map((name, i) => [name, rows.map((row) => Number(row[i]))] as const).slice(3);
  expect(recalls.map(([name]) => name)).toEqual(
    ['txt_r1', 'txt_r5', 'txt_r10', 'txt_r_mean'].concat('img_r1', 'img_r5', 'img_r10', 'img_r_mean', 'r_mean'),
  );
  for (const [, values] of recalls) expect(values.every((value) => value >= 0 && value <= 100)).toBe(true);
  expect(Object.fromEntries(recalls)).toMatchObject({ img_r5: [100, 100], txt_r10: [expect.any(Number), 100] });
});

test('captions and images that were augmented ahead are those that training reads', async () => {
  const text = await run('cleanclip augment-text --input train.csv --output text.csv --seed 3');
  expect(text).toMatch(/text\.csv has 48 rows, and the column augmented_caption\n$/);
  const image = await run('cleanclip augment-image --input text.csv --output both.csv --size 32 --seed 3');
  expect(image).toMatch(/both\.csv has 48 rows, and the column augmented_image\n$/);
  const cleanse = (name: string, data: string, more = ''): Promise<string> =>
    run(
      `cleanclip-train --name ${name} --checkpoint ${checkpoint} --train_data ${data} --inmodal --complete_finetune ` +
        `--batch_size 8 --epochs 1 --num_warmup_steps 2 --num_workers 1 --seed 2${more}`,
    );
  const stored = await cleanse('stored', 'both.csv', ' --augmented_columns');
  expect(stored).toContain('The last checkpoint is logs/stored/checkpoints/epoch.pt');

  const [header, ...rows] = lines('both.csv');
  const other = rows.map((row) => row.replace(/,[^,]*,([^,]*)$/, ',the same words,$1'));
  writeFileSync(at('other.csv'), [header, ...other].join('\n'));
  await cleanse('other', 'other.csv', ' --augmented_columns');
  await cleanse('drawn', 'both.csv');
  const [first, ...rest] = ['stored', 'other', 'drawn'].map(
    (name) => (JSON.parse(lines(`logs/${name}/metrics.jsonl`)[0]) as { inmodal_loss: number }).inmodal_loss,
  );
  for (const loss of rest) expect(loss).not.toBe(first);
});

test('pictures of clean and poisoned embeddings, by t-SNE and PCA', async () => {
  await run(`cleanclip embed --checkpoint ${checkpoint} --train_data ${poisoned} --output pairs.safetensors`);
  for (const method of ['tsne --perplexity 5 --iterations 250', 'pca']) {
    const stdout = await run(`cleanclip plot --embeddings pairs.safetensors --method ${method} --output pairs`);
    expect(stdout).toMatch(/^pairs: 40 points, 34 clean, 6 poisoned\.\nWritten: .*pairs\.svg, .*png, .*pairs\.csv\n$/);
    expect(lines('pairs.csv')).toHaveLength(1 + 40);
    expect(lines('pairs.csv').filter((line) => line.includes('backdoor_images_'))).toHaveLength(6);
  }
});
