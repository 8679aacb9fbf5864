import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CONFIG_KEY } from '../clip/header_config';
import { torch } from '../torch';
import { OrderedDict } from '../torch/serialization';
import { demand, openaiOnly, type Outgoing } from './state';

/**
 * Writes the format `openai`: a state dict alone, an OrderedDict of tensors. `torch.load(…, weights_only=True)` and
 * `clip.load` of OpenAI read it.
 */
export function writeOpenai(path: string, { config, state }: Outgoing): void {
  demand(
    config,
    "A bare state dict under OpenAI's names",
    openaiOnly(config),
    'safetensors or open_clip, which store it',
  );
  torch.save(new OrderedDict(Object.entries(state)), path);
}

/**
 * Writes the format `safetensors`: the same names as `openai`, with the configuration as JSON in the metadata of the
 * header.
 */
export function writeSafetensors(path: string, { config, state }: Outgoing): void {
  torch.save(state, path, { metadata: { format: 'pt', [CONFIG_KEY]: JSON.stringify(config) } });
}

/** Writes a JSON file, indented by two spaces, into a folder that is being written. */
export function writeJson(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
