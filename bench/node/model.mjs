// Makes the file of a model's weights once, so that both sides have the same weights.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configs } from '../../dist/clip/named.js';
import cleanclip from '../../dist/index.js';

/**
 * Writes the weights of a named model for seed 1, and its configuration as JSON beside them, unless they exist. Returns
 * the path of the weights.
 */
export function weightsFile(folder, name, imageSize = configs[name].imageSize) {
  const size = imageSize === configs[name].imageSize ? '' : `_${imageSize}`;
  const file = join(folder, `${name.replace('/', '-')}${size}.pt`);
  if (existsSync(file)) return file;
  const config = { ...configs[name], imageSize };
  const clip = cleanclip.loadClip(config, { seed: 1 });
  cleanclip.torch.save({ state_dict: clip.stateDict() }, file);
  writeFileSync(`${file}.json`, JSON.stringify(config));
  clip.dispose();
  return file;
}
