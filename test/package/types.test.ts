import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../data/temporary';
import { pack, root } from './consumer';

const folder = temporaryFolder();

/** What a consumer writes: named and default imports, types, options, torch. */
const code = `
import cc, { CleanclipError, finetune, loadClip, PairLoader, readPairs, torch } from 'cleanclip';
import type {
  Batch, ClipConfig, ClipOptions, ConvertInput, EvaluateInput, FinetuneInput, JobHooks, LabelledSet, PoisonInput,
  Tensor, TrainInput, TrainResult, Trigger,
} from 'cleanclip';

const recipe: FinetuneInput & JobHooks = { checkpoint: 'epoch.pt', trainData: 'clean.csv', precision: 'bf16' };
const attack: EvaluateInput = { patchType: 'warped', asr: true };
const poison: PoisonInput = { numBackdoor: 3, imageFormat: 'png' };
const written: ConvertInput['to'] = 'onnx';
const options: ClipOptions = { seed: 1 };
export async function main(config: ClipConfig): Promise<TrainResult> {
  const clip = loadClip(config, options);
  const loader = new PairLoader(await readPairs('pairs.csv', { imageKey: 'image' }), { batchSize: 2, size: 32 });
  for await (const batch of loader.epoch(1)) {
    const { ids }: Batch = batch;
    const features: Tensor = torch.noGrad(() => clip.encodeText(ids));
    const sum: Tensor = features.add(1, { alpha: 2 }).sum([0]);
    console.log(sum.shape[0].toFixed(), cc.Tensor === torch.Tensor);
  }
  const trigger: Trigger = cc.makeTrigger({ patchSize: 16 });
  const set: LabelledSet = await cc.readLabelledSet('set', { dataType: 'CIFAR10' });
  console.log(trigger, set.classes, attack, poison, written);
  try {
    return await finetune(recipe);
  } catch (error) {
    if (error instanceof CleanclipError && error.code === 'ERR_OPTION') console.error(error.message);
    throw error;
  }
}
// @ts-expect-error there is no such trigger
export const wrong: TrainInput = { patchType: 'rainbow' };
// @ts-expect-error a number it must be
export const wrongToo: TrainInput = { lr: '1e-3' };
// @ts-expect-error no training data in an evaluation
export const wrongHere: EvaluateInput = { trainData: 'a.csv' };
`;

beforeAll(() => {
  const { tarball } = pack(folder);
  const installed = join(folder, 'node_modules/cleanclip');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  symlinkSync(join(root, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'));
  for (const file of ['main.ts', 'main.mts']) writeFileSync(join(folder, file), code);
});

test.each([
  ['node16, CommonJS', 'main.ts', { module: 'node16', moduleResolution: 'node16', esModuleInterop: true }],
  ['node16, ES module', 'main.mts', { module: 'node16', moduleResolution: 'node16' }],
  ['bundler', 'main.ts', { module: 'esnext', moduleResolution: 'bundler' }],
  ['commonjs, node10', 'main.ts', { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true }],
])("the types fit a consumer's project: %s", (_, file, options) => {
  const compilerOptions = { ...options, strict: true, target: 'es2022' };
  const config = { files: [file], compilerOptions: { ...compilerOptions, types: ['node'], noEmit: true } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
});
