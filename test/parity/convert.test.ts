import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClipConfig } from '../../src/clip/config';
import { type Clip, loadClip } from '../../src/clip/model';
import { runConvert } from '../../src/convert/convert';
import type { Conversion } from '../../src/options/convert';
import { tokenIds } from '../../src/text/tokenizer';
import { torch } from '../../src/torch';
import { answersOf, gapOf, resnet, sameState, vit } from '../convert/models';
import { livelyClip } from './models';
import { python } from './python';

// Converted models in Python: open_clip, transformers and onnxruntime give our features, and what they wrote comes
// back.
jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

const words: ClipConfig = { ...vit, vocabularySize: 49408, contextLength: 24 };
const odd: Partial<ClipConfig> = {
  activation: 'gelu',
  visionHeads: 4,
  textHeads: 4,
  visionMlpRatio: 3,
  textMlpRatio: 2.5,
  imageMean: [0.5, 0.4, 0.3],
  imageStd: [0.5, 0.5, 1],
};

const texts = [
  'a photo of a cat',
  "It's the dog's 2nd birthday, isn't it?",
  'Ein Café – naïve, 東京 🙂',
  'very '.repeat(40),
];

/** Whether the model is QuickGELU's, in open_clip's words. */
const gelu = ({ activation }: ClipConfig): string => (activation === 'gelu' ? 'GELU' : 'QuickGELU');

async function convertedTo(clip: Clip, name: string, to: Conversion, dtype: 'fp32' | 'fp16' = 'fp32'): Promise<string> {
  const input = join(folder, `${name}.pt`);
  torch.save({ state_dict: clip.stateDict(), config: clip.config }, input);
  const output = join(folder, `${name}_${to}_${dtype}${to === 'openai' ? '.pt' : ''}`);
  return (await runConvert({ input, output, to, dtype })).output;
}

/** What Python says of converted models. */
function inPython(clip: Clip, name: string, jobs: [job: string, path: string][]): Record<string, unknown>[] {
  const answers = join(folder, `${name}_answers.pt`);
  const { pixels, ids, image, text } = answersOf(clip);
  torch.save({ pixels, ids, image, text, state: clip.stateDict() }, answers);
  return python('convert.py', { jobs, answers, texts }) as Record<string, unknown>[];
}

const models: [string, ClipConfig][] = [
  ['resnet', resnet],
  [
    'resnet_odd',
    {
      ...resnet,
      visionHeads: 4,
      textHeads: 2,
      activation: 'gelu',
      interpolation: 'bilinear',
      imageMean: [0.5, 0.5, 0.5],
    },
  ],
  ['vit', vit],
  ['vit_odd', { ...vit, ...odd, resizeMode: 'longest', fillColor: 7 }],
  [
    'vit_average',
    {
      ...vit,
      activation: 'gelu',
      visionPool: 'avg',
      visionNormAfterPool: false,
      visionPreNorm: false,
      textPool: 'last',
      textCausal: false,
    },
  ],
  [
    'vit_scaled',
    {
      ...vit,
      visionLayerScale: true,
      textLayerScale: true,
      visionPool: 'avg',
      textPool: 'first',
      textCausal: false,
      textProjectionBias: true,
      logitBias: true,
    },
  ],
  ['vit_eos', { ...vit, textPool: 'eos', textEosId: 499, resizeMode: 'squash' }],
];

test.each(models)('%s: open_clip and onnxruntime give the same features', async (name, config) => {
  using clip = livelyClip(config, 3);
  const folders = {
    open_clip: await convertedTo(clip, name, 'open_clip'),
    onnx: await convertedTo(clip, name, 'onnx'),
  };
  const [openClip, onnx] = inPython(clip, name, Object.entries(folders));
  expect(openClip.gap).toBeLessThan(1e-5);
  expect(onnx.gap).toBeLessThan(1e-4);
  const { interpolation = 'bicubic', resizeMode = 'shortest', imageMean, imageStd } = config;
  const { named } = openClip as { named: unknown[] };
  expect(named.slice(0, 3)).toEqual([gelu(config), interpolation, resizeMode]);
  if (imageMean !== undefined) expect(named[3]).toEqual(imageMean);
  if (imageStd !== undefined) expect(named[4]).toEqual(imageStd);

  using back = loadClip(folders.open_clip);
  expect(sameState(clip, back)).toBe(true);
  expect(gapOf(back, answersOf(clip))).toBe(0);
});

test.each([
  ['words', words],
  ['words_odd', { ...words, ...odd, interpolation: 'bilinear', resizeMode: 'squash' } satisfies ClipConfig],
])('%s: transformers gives the same features and ids', async (name, config) => {
  using clip = livelyClip(config, 3);
  const output = await convertedTo(clip, name, 'hf');
  const half = await convertedTo(clip, name, 'hf', 'fp16');
  const [full, halved] = inPython(clip, name, [
    ['hf', output],
    ['hf', half],
  ]) as { gap: number; ids: number[][]; dtype: string; named: unknown[] }[];
  expect([full.dtype, full.gap < 1e-5, halved.dtype, halved.gap < 0.05]).toEqual([
    'torch.float32',
    true,
    'torch.float16',
    true,
  ]);
  const { interpolation = 'bicubic', resizeMode = 'shortest', imageSize, contextLength } = config;
  expect(full.named.slice(0, 2)).toEqual([
    interpolation === 'bicubic' ? 3 : 2,
    resizeMode === 'squash' ? { height: imageSize, width: imageSize } : { shortest_edge: imageSize },
  ]);
  const ours = Array.from(tokenIds(texts, contextLength), Number);
  const end = 49407; // theirs goes on with it, ours with 0; no token sees what comes after
  const upToEnd = (row: number[]): number[] => row.slice(0, row.indexOf(end) + 1);
  expect(full.ids.map(upToEnd)).toEqual(
    texts.map((_, i) => upToEnd(ours.slice(i * contextLength, (i + 1) * contextLength))),
  );

  using back = loadClip(output);
  expect(sameState(clip, back)).toBe(true);
  expect(gapOf(back, answersOf(clip))).toBe(0);
});

test.each([
  ['resnet_alone', resnet],
  ['vit_alone', vit],
])("%s: torch reads OpenAI's layout without trusting it", async (name, config) => {
  using clip = livelyClip(config, 3);
  expect(inPython(clip, name, [['state_dict', await convertedTo(clip, name, 'openai')]])).toEqual([true]);
});
