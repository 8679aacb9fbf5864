import { statSync } from 'node:fs';

import { CleanclipError } from '../errors';
import { torch } from '../torch';
import { type Unread, warningOf } from '../torch/serialization';
import type { ClipConfig } from './config';
import { findWeights, type Stated } from './find_weights';
import { configInHeader } from './header_config';
import type { Shapes } from './infer';
import { type Hints, type Known, knownConfig, type Says } from './resolve';
import { isOpenAiArchive, isTensor, rawStateDict, type StateDict, underOpenAiNames } from './state_dict';

/** By how much tensors that share memory may make a state dict larger than its file. */
const MOST_SHARING = 10;

/** The contents of a file or folder of a CLIP model. */
export interface WeightsFile {
  path: string;
  /** what `torch.load` returned */
  content: Record<string, unknown>;
  /** of the CLIP, under OpenAI's names */
  stateDict: StateDict;
  /** weight and bias of a classifier's linear layer, if `apart` was asked for */
  linear: StateDict;
  /** which objects of the file were left unread, in a sentence */
  unread?: string;
  /** what it says of the CLIP's architecture */
  says: Says;
}

/** A file or folder of a CLIP as read. */
export interface ModelFile extends WeightsFile, Known {}

/**
 * Reads a CLIP of any form that people have: a checkpoint of this library, of CleanCLIP's Python code or another
 * training code, a state dict under OpenAI's, open_clip's or transformers' names, one of OpenAI's TorchScript archives,
 * safetensors; a folder of open_clip or transformers.
 * @param apart whether names under `linear.` are a classifier's and not the CLIP's
 * @throws CleanclipError `ERR_CHECKPOINT`
 */
export const readModel = (path: string, hints: Hints = {}, apart = false): ModelFile =>
  knownModel(readWeights(path, apart), hints);

/** The model that weights belong to. Errors as {@link readModel}. */
export const knownModel = (file: WeightsFile, hints: Hints): ModelFile => ({
  ...file,
  ...knownConfig(shapesOf(file.stateDict), file.path, file.says, hints),
});

/** What {@link readModel} reads, whatever model it belongs to. */
export function readWeights(path: string, apart = false): WeightsFile {
  const { files, stated } = findWeights(path);
  const left: Unread[] = [];
  const load = (file: string): unknown => torch.load(file, { onUnread: (list) => left.push(...list) });
  const content =
    files.length === 1 ? load(files[0]) : Object.assign({}, ...files.map((file) => rawStateDict(load(file)) ?? {}));
  const unread = left.length > 0 ? warningOf(path, left) : undefined;
  const raw = rawStateDict(content);
  if (raw === undefined) {
    const holds = unread === undefined ? '' : ` ${unread}`;
    throw new CleanclipError(
      `'${path}' holds no state dict of a model; give a checkpoint of cleanclip or of the Python code.${holds}`,
      'ERR_CHECKPOINT',
    );
  }
  checkSize(raw, path, files);
  const named = Object.entries(underOpenAiNames(raw, path));
  const isLinear = (name: string): boolean => apart && name.startsWith('linear.');
  const stateDict = Object.fromEntries(named.filter(([name]) => !isLinear(name))) as StateDict;
  const linear = Object.fromEntries(
    named.flatMap(([name, value]) => (isLinear(name) ? [[name.slice('linear.'.length), value]] : [])),
  ) as StateDict;
  const says = {
    stated: stated ?? ownConfig(content, path) ?? headerConfig(path, files),
    archive: isOpenAiArchive(raw),
  };
  return { path, content: content as Record<string, unknown>, stateDict, linear, unread, says };
}

/** Tensors may repeat their elements, so a file of a kilobyte could ask for a model that fills any memory. */
function checkSize(dict: Record<string, unknown>, path: string, files: string[]): void {
  const elements = Object.values(dict)
    .filter(isTensor)
    .reduce((sum, tensor) => sum + tensor.numel(), 0);
  const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
  if (elements > MOST_SHARING * size) {
    throw new CleanclipError(
      `'${path}' has ${size} bytes for ${elements} weights; save a state dict whose tensors do not repeat their ` +
        'elements.',
      'ERR_CHECKPOINT',
    );
  }
}

/** The configuration that a checkpoint of this library holds; other codes keep other things under this name. */
function ownConfig(content: unknown, path: string): Stated | undefined {
  const { config } = content as { config?: unknown };
  const isOwn = typeof config === 'object' && config !== null && 'embedDim' in config && 'visionLayers' in config;
  return isOwn ? { config: config as unknown as ClipConfig, by: `the config in '${path}'` } : undefined;
}

/** The configuration that a safetensors file of this library has in its header. */
function headerConfig(path: string, files: string[]): Stated | undefined {
  const config = files.length === 1 && files[0].endsWith('.safetensors') ? configInHeader(files[0]) : undefined;
  return config && { config, by: `the header of '${path}'` };
}

/** The shape of each tensor; what is none is left out. */
export function shapesOf(dict: Record<string, unknown>): Shapes {
  return Object.fromEntries(
    Object.entries(dict).flatMap(([name, tensor]) => (isTensor(tensor) ? [[name, tensor.shape]] : [])),
  );
}
