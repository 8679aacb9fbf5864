import { existsSync } from 'node:fs';

import { type CleanclipError, optionError } from '../errors';
import { type ClipConfig } from './config';
import { configOfFolder, isFolder, readJson } from './find_weights';
import { hfConfig, isHfConfig } from './hf_config';
import { configs, hasTwoMeanings, refuseForeign } from './named';
import { isOpenClipConfig, openClipConfig } from './open_clip_config';
import type { Activation, Hints } from './resolve';

/**
 * Returns the configuration of a name, or undefined when there is none of this name.
 * @throws CleanclipError `ERR_OPTION` for a model of open_clip that cannot be built here
 */
export function configOfName(name: string): ClipConfig | undefined {
  if (Object.hasOwn(configs, name)) return configs[name];
  if (!existsSync(name)) refuseForeign(name);
  return undefined;
}

/**
 * Returns the configuration that `--model_name` means. It may be a name, a JSON file of sizes, a JSON file of open_clip
 * or transformers, or a folder with such a file.
 * @throws CleanclipError `ERR_OPTION` when it is none of these
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

/** Makes the hints that a model name gives about weights loaded with it. */
export function hintsOf(name: string, config: ClipConfig, activation: Activation | undefined): Hints {
  return { named: { config, by: name }, anyActivation: hasTwoMeanings(name), activation };
}

function configOfJson(path: string): ClipConfig {
  const json = readJson(path);
  if (isOpenClipConfig(json)) return openClipConfig(json, path);
  return isHfConfig(json) ? hfConfig(json, path) : (json as ClipConfig);
}
