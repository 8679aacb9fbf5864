// `node inputs.mjs <folder> <model> <pairs>` writes the weights and the batch of both sides to <folder>/<model>.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configs } from '../../dist/clip/named.js';
import cleanclip from '../../dist/index.js';

const { torch } = cleanclip;

/** A CLIP of 27 million parameters, half of them in the token embedding. A core computes a step of it in a second. */
const medium = {
  embedDim: 256,
  imageSize: 96,
  visionLayers: 6,
  visionWidth: 384,
  visionPatchSize: 16,
  contextLength: 32,
  vocabularySize: 49408,
  textWidth: 256,
  textHeads: 4,
  textLayers: 4,
};

const [parent, model, pairs] = process.argv.slice(2);
const folder = join(parent, model.replace('/', '-'));
const config = model === 'medium' ? medium : configs[model];
const { imageSize, contextLength, vocabularySize } = config;
mkdirSync(folder);

const clip = cleanclip.loadClip(config, { seed: 1 });
torch.save({ state_dict: clip.stateDict() }, join(folder, 'model.pt'));
writeFileSync(join(folder, 'model.pt.json'), JSON.stringify(config));

const generator = new torch.Generator(2);
const ids = torch.randint(1, vocabularySize - 2, [Number(pairs), contextLength], { generator });
// Captions fill the context, so that the text tower cannot leave out tokens.
ids.select(1, contextLength - 1).fill_(vocabularySize - 1);
const pixels = torch.randint(0, 256, [Number(pairs), 3, imageSize, imageSize], { generator }).to('uint8');
torch.save({ pixels, ids }, join(folder, 'batch.pt'));
