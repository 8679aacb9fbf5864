import { existsSync } from 'node:fs';

import { optionError } from '../errors';
import { show } from '../show';
import { torch } from '../torch';
import { Clip, type ClipOptions } from './clip';
import type { ClipConfig } from './config';
import { configOfName, hintsOf } from './names';
import { pretrainedFileSync } from './pretrained';
import { readModel } from './read_model';
import type { Activation, Hints } from './resolve';

export { Clip, type ClipOptions, type Precision } from './clip';

/** Options of {@link loadClip}, besides {@link ClipOptions}. */
export interface LoadClipOptions extends ClipOptions {
  /**
   * weights for a named configuration. true: OpenAI's, from `~/.cache/cleanclip/clip` or `~/.cache/clip`, or
   * downloaded, which blocks the thread. A string: the path of a file or folder. Default false: new weights
   */
  pretrained?: boolean | string;
  /**
   * activation of the MLPs, 'quick_gelu' or 'gelu', when the file does not say it; for new weights it overrides the
   * configuration. Default: what the file or the configuration says, else 'quick_gelu'
   */
  activation?: Activation;
}

/**
 * Makes a CLIP, in training mode.
 *
 * A file may be a checkpoint (of this library or of Python), a state dict, safetensors, or one of OpenAI's TorchScript
 * archives. A folder may be one of open_clip (`open_clip_config.json`) or of a `CLIPModel` of transformers
 * (`config.json`). Sizes are inferred from the weights. What neither the file nor the options say is assumed to be as
 * in OpenAI's models, and a warning says so.
 *
 * @param source the name of a configuration: OpenAI's ('RN50', 'ViT-B/32', …), 'tiny' or open_clip's ('ViT-B-32',
 * 'ViT-H-14-quickgelu', …); or a configuration of your own; or the path of a file or folder. A configuration gets new
 * weights, drawn as by `initialize_parameters` of OpenAI's CLIP, unless `pretrained` is given
 * @param options device, precision, seed, weights and more, each with its default
 * @throws CleanclipError `ERR_OPTION` for a wrong configuration, option or path; `ERR_CHECKPOINT` for a file without a
 * CLIP, or one that cannot be read or downloaded
 * @example const clip = loadClip('RN50', { seed: 1, precision: 'bf16' });
 * @example const clip = loadClip('ViT-B/32', { pretrained: true });
 * @example const clip = loadClip('epoch_32.pt', { activation: 'gelu' });
 */
export function loadClip(source: string | ClipConfig, options: LoadClipOptions = {}): Clip {
  checkArguments(source, options);
  const { pretrained = false, activation, ...rest } = options;
  const config = typeof source === 'string' ? configOfName(source) : source;
  if (pretrained === false) {
    if (config === undefined) return loadFile(source as string, { activation }, rest);
    return new Clip({ ...config, ...(activation && { activation }) }, { ...rest, seed: rest.seed ?? 0 });
  }
  if (config === undefined)
    throw optionError(
      `pretrained goes with the name of a model, but the model is '${source as string}'; leave it out to load a file.`,
    );
  const hints =
    typeof source === 'string'
      ? hintsOf(source, config, activation)
      : { named: { config, by: 'the configuration given' }, activation };
  if (typeof pretrained === 'string') return loadFile(pretrained, hints, rest);
  if (typeof source !== 'string')
    throw optionError(
      "pretrained: true needs the name of one of OpenAI's models; give the path of a file for your own sizes.",
    );
  return loadFile(pretrainedFileSync(source), hints, rest);
}

function checkArguments(source: unknown, options: unknown): void {
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!(typeof source === 'string' && source !== '') && !isPlain(source)) {
    throw optionError(`The model must be a name, a path or a configuration, but it is ${show(source)}.`);
  }
  if (!isPlain(options)) throw optionError(`The options of loadClip must be an object, but they are ${show(options)}.`);
  const { pretrained, activation } = options;
  if (![undefined, 'quick_gelu', 'gelu'].includes(activation as string))
    throw optionError(`activation must be 'quick_gelu' or 'gelu', but it is ${show(activation)}.`);
  if (!['undefined', 'boolean', 'string'].includes(typeof pretrained))
    throw optionError(`pretrained must be true, false or a path, but it is ${show(pretrained)}.`);
}

function loadFile(path: string, hints: Hints, options: ClipOptions): Clip {
  if (!existsSync(path)) {
    throw optionError(
      'The model must be one of RN50, ViT-B/32, ViT-B-32 and other names in docs/api.md, or the path of a ' +
        `checkpoint, but there is no file '${path}'.`,
    );
  }
  return torch.tidy(() => {
    const { config, stateDict, assumed, unread } = readModel(path, hints);
    if (assumed !== undefined) warnOnce(assumed, 'CLEANCLIP_ASSUMED');
    if (unread !== undefined) warnOnce(unread, 'CLEANCLIP_UNREAD');
    return new Clip(config, { ...options, seed: undefined }).loadStateDict(stateDict);
  });
}

const told = new Set<string>();

function warnOnce(text: string, code: string): void {
  if (told.has(text)) return;
  told.add(text);
  process.emitWarning(text, { type: 'CleanclipWarning', code });
}
