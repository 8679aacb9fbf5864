import { CleanclipError } from '../errors';
import { torch } from '../torch';
import type { ClipConfig } from './config';

/** The key of the configuration, as JSON, in the metadata of a safetensors file. */
export const CONFIG_KEY = 'cleanclip_config';

/**
 * Reads the configuration in the header of a safetensors file of this library; returns undefined for other files.
 * @throws CleanclipError `ERR_CHECKPOINT` when it is not a JSON object
 */
export function configInHeader(path: string): ClipConfig | undefined {
  const text = torch.loadMetadata(path)?.[CONFIG_KEY];
  if (text === undefined) return undefined;
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as ClipConfig;
  } catch {
    // the error below tells
  }
  throw new CleanclipError(
    `The ${CONFIG_KEY} in the header of '${path}' is not a JSON object; convert the model once more.`,
    'ERR_CHECKPOINT',
  );
}
