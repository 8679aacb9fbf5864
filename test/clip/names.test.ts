import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadClip } from '../../src/clip/model';
import { sizesOf } from '../../src/clip/open';
import { joined } from '../support/patterns';

// Models of open_clip that cannot be built here, by name and reason.
const { refused } = JSON.parse(readFileSync(join(__dirname, '../../data/models/open_clip.json'), 'utf8')) as {
  refused: Record<string, string>;
};
const refusal = (message: RegExp): Error =>
  expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(message) }) as Error;

test.each([
  [
    'convnext_base',
    joined(
      /'convnext_base' cannot be built here: it is built on timm's convnext_base, /,
      /which is neither a ResNet nor a ViT of CLIP; choose another model\.$/,
    ),
  ],
  ['ViTamin-L', /built on timm's vitamin_large_224/],
  ['ViT-B-16-SigLIP', /it is a SigLIP, whose towers and tokeniser are not CLIP's/],
  ['ViT-SO400M-14-SigLIP2-378', /it is a SigLIP/],
  ['coca_ViT-B-32', /it is a CoCa, whose text decoder is not supported/],
  ['EVA02-B-16', /built on timm's eva02_base_patch16_clip_224/],
  ['EVA01-g-14-plus', /built on timm's eva_giant_patch14_224/],
  ['roberta-ViT-B-32', /one whose text tower is roberta-base, not CLIP's/],
  ['xlm-roberta-large-ViT-H-14', /one whose text tower is xlm-roberta-large/],
  ['ViT-H-14-CLIPA', /one with the tokeniser of bert-base-uncased, not CLIP's/],
  ['ViT-H-14-worldwide', /one with the tokeniser of facebook\/xlm-v-base/],
  [
    'hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K',
    /is not downloaded here; download its snapshot, and give the folder/,
  ],
])('%s is refused by name and reason', (name, message) => {
  expect(() => loadClip(name)).toThrow(refusal(message));
  expect(() => loadClip(name, { pretrained: '/none.pt' })).toThrow(refusal(message));
  expect(() => sizesOf({ modelName: name, precision: 'fp32', seed: 0 })).toThrow(refusal(message));
});

test('every model that open_clip has beside these is refused with its reason', () => {
  const names = Object.keys(refused);
  expect(names.length).toBeGreaterThan(100);
  for (const name of names)
    expect(() => loadClip(name)).toThrow(
      refusal(
        /' cannot be built here: it is (built on timm's|a SigLIP|a CoCa|one (whose text tower|with the tokeniser))/,
      ),
    );
});
