import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { optionError } from '../errors';
import type { ClipConfig } from './config';

const data = <T>(name: string): T =>
  JSON.parse(readFileSync(join(__dirname, '../../data/models', `${name}.json`), 'utf8')) as T;

/** OpenAI's names, and 'tiny', a ResNet for 64-pixel images that trains on a laptop in minutes. */
const own = ['RN50', 'RN101', 'RN50x4', 'ViT-B/32', 'ViT-B/16', 'ViT-L/14', 'tiny'];

/** See scripts/open_clip_models.py. */
const openClip = data<{ models: Record<string, ClipConfig>; refused: Record<string, string> }>('open_clip');

/** OpenAI's models of which open_clip has the sizes. */
const published: Record<string, string> = {
  RN50x16: 'RN50x16-quickgelu',
  RN50x64: 'RN50x64-quickgelu',
  'ViT-L/14@336px': 'ViT-L-14-336-quickgelu',
};

/**
 * The named configurations: OpenAI's names, whose models are QuickGELU's; 'tiny'; and open_clip's. Where a name is
 * both's (`RN50`, …), it is OpenAI's model, and open_clip's is `RN50` with the activation 'gelu'. They lie in
 * `data/models`.
 */
export const configs: Readonly<Record<string, ClipConfig>> = {
  ...Object.fromEntries(own.map((name) => [name, data<ClipConfig>(name.replace('/', '-'))])),
  ...Object.fromEntries(Object.entries(published).map(([name, other]) => [name, openClip.models[other]])),
  ...Object.fromEntries(
    Object.entries(openClip.models).filter(([name]) => !own.includes(name) && !(name in published)),
  ),
};

/** Names that mean a QuickGELU model of OpenAI here and a GELU model in open_clip. */
export const hasTwoMeanings = (name: string): boolean =>
  openClip.models[name]?.activation === 'gelu' && configs[name].activation !== 'gelu';

/**
 * Refuses the name of a model that open_clip has and that cannot be built here, with the reason.
 * @throws CleanclipError `ERR_OPTION`
 */
export function refuseForeign(name: string): void {
  if (Object.hasOwn(openClip.refused, name))
    throw optionError(`'${name}' cannot be built here: it is ${openClip.refused[name]}; choose another model.`);
  if (/^hf-hub:|^https?:/.test(name))
    throw optionError(`'${name}' is not downloaded here; download its snapshot, and give the folder.`);
}
