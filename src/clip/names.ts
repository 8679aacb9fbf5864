import { existsSync } from 'node:fs';

import { type CleanclipError, optionError } from '../errors';
import { type ClipConfig } from './config';
import { configOfFolder, isFolder, readJson } from './find_weights';
import { hfConfig, isHfConfig } from './hf_config';
import { configs, hasTwoMeanings, refuseForeign } from './named';
import { isOpenClipConfig, openClipConfig } from './open_clip_config';
import type { Activation, Hints } from './resolve';

/**
 * The named configuration; undefined when there is none of this name.
 * @throws CleanclipError `ERR_OPTION` for a model of open_clip that cannot be built here
 */
export function configOfName(name: string): ClipConfig | undefined {
  if (Object.hasOwn(configs, name)) return configs[name];
  if (!existsSync(name)) refuseForeign(name);
  return undefined;
}

/**
 * The configuration that `--model_name` means: a name; a JSON file of sizes, of open_clip or of transformers; a folder
 * of one of these.
 * @throws CleanclipError `ERR_OPTION`
 */
export function configOfModelName(name: string): ClipConfig {
  const named = configOfName(name);
  if (named !== undefined) return named;
  try {
    const config = isFolder(name) ? configOfFolder(name) : name.endsWith('.json') ? configOfJson(name) : undefined;
    if (config !== undefined) return config;
  } catch (error) {
    const { message, code } = error as CleanclipError;
    throw code === 'ERR_CHECKPOINT' ? optionError(`--model_name: ${message}`) : error;
  }
  throw optionError(
    `--model_name must be one of ${Object.keys(configs).join(', ')}, a .json file, or the folder of a model, ` +
      `but is '${name}'.`,
  );
}

/** What a name tells of weights that are loaded beside it. */
export function hintsOf(name: string, config: ClipConfig, activation: Activation | undefined): Hints {
  return { named: { config, by: name }, anyActivation: hasTwoMeanings(name), activation };
}

function configOfJson(path: string): ClipConfig {
  const json = readJson(path);
  if (isOpenClipConfig(json)) return openClipConfig(json, path);
  return isHfConfig(json) ? hfConfig(json, path) : (json as ClipConfig);
}
