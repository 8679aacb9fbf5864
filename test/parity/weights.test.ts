import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ClipConfig, completeConfig } from '../../src/clip/config';
import { loadClip } from '../../src/clip/model';
import { readCheckpoint } from '../../src/run/checkpoint';
import { type Tensor, torch } from '../../src/torch';
import { python } from './python';

// One small CLIP in all the forms that users have; its features against those of Python's model.
jest.setTimeout(180_000);

const resnet: ClipConfig = {
  embedDim: 32,
  imageSize: 32,
  visionLayers: [1, 2, 1, 1],
  visionWidth: 16,
  contextLength: 12,
  vocabularySize: 50,
  textWidth: 64,
  textHeads: 1,
  textLayers: 2,
};
const vit: ClipConfig = {
  ...resnet,
  visionLayers: 2,
  visionWidth: 64,
  visionPatchSize: 16,
  textWidth: 128,
  textHeads: 2,
};

const forms: [name: string, precision: 'full' | 'half'][] = [
  ['checkpoint.pt', 'full'],
  ['checkpoint_legacy.pt', 'full'],
  ['plain.pt', 'full'],
  ['plain_legacy.pt', 'full'],
  ['wrapped.pt', 'full'],
  ['plain.safetensors', 'full'],
  ['traced.pt', 'full'],
  ['half_archive.pt', 'half'],
  ['half.safetensors', 'half'],
];

interface Features {
  images: Tensor;
  texts: Tensor;
}

const gap = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item();

describe.each<[string, ClipConfig]>([
  ['ResNet', resnet],
  ['ViT', vit],
])('%s', (_, config) => {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-weights-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(() => void python('weights.py', { job: 'run', arguments: [folder, config] }));

  test.each(forms)('%s', (name, precision) => {
    const path = join(folder, name);
    const answers = torch.load(join(folder, 'answers.pt')) as {
      pixels: Tensor;
      ids: Tensor;
      full: Features;
      half: Features;
    };
    using clip = loadClip(path).eval();
    expect(clip.config).toEqual(completeConfig(config));
    expect(clip.namedParameters().filter(([, { dtype }]) => dtype !== 'float32')).toEqual([]);
    torch.noGrad(() => {
      const { imageEmbeds, textEmbeds } = clip.forward(answers.ids, answers.pixels);
      expect(gap(imageEmbeds, answers[precision].images)).toBeLessThan(1e-6);
      expect(gap(textEmbeds, answers[precision].texts)).toBeLessThan(1e-6);
    });
    expect(gap(answers.half.images, answers.full.images)).toBeGreaterThan(1e-5); // else fp16 would not show
  });

  test.each(forms)('%s as --checkpoint', (name) => {
    const { epoch, optimizer, stateDict } = readCheckpoint(join(folder, name));
    expect([epoch, optimizer !== undefined]).toEqual(name.startsWith('checkpoint') ? [3, true] : [0, false]);
    expect(
      Object.keys(stateDict).filter((key) => /^module\.|input_resolution|context_length|vocab_size/.test(key)),
    ).toEqual([]);
  });

  test.each(forms)('%s does not fit other sizes', (name) => {
    const other = { ...config, textWidth: 2 * config.textWidth };
    const message =
      `By the configuration given the model's textWidth is ${other.textWidth}, but '${join(folder, name)}' has ` +
      `weights for ${config.textWidth}`;
    const load = (): unknown => loadClip(other, { pretrained: join(folder, name) });
    expect(load).toThrow(
      expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(message) }),
    );
  });

  test('what is written as safetensors is read in Python as it was', () => {
    const plain = join(folder, 'plain.pt');
    const written = join(folder, 'written.safetensors');
    torch.save(torch.load(plain), written);
    expect(statSync(written).size).toBeLessThan(1.1 * statSync(plain).size);
    expect(python('weights.py', { job: 'read_back', arguments: [plain, written] })).toBe(true);
  });
});
