import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CONFIG_KEY } from '../clip/header_config';
import { torch } from '../torch';
import { OrderedDict } from '../torch/serialization';
import { demand, openaiOnly, type Outgoing } from './state';

/**
 * `openai`: a state dict alone, an OrderedDict of tensors, which `torch.load(…, weights_only=True)` and OpenAI's
 * `clip.load` read.
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

/** `safetensors`: the same names, and the configuration as JSON in the header's metadata. */
export function writeSafetensors(path: string, { config, state }: Outgoing): void {
  torch.save(state, path, { metadata: { format: 'pt', [CONFIG_KEY]: JSON.stringify(config) } });
}

/** A JSON file in a folder that is being written. */
export function writeJson(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
