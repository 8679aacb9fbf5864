// The model of a measurement: the same weights on both sides, from a file that is made once.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configs } from '../../dist/clip/named.js';
import cleanclip from '../../dist/index.js';

/**
 * Writes the weights of a named model, seed 1, and its sizes as JSON beside it, if they are not there; the path of the
 * weights.
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
