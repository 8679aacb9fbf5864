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

/**
 * The most elements of a state dict per byte of its file. Tensors that share memory can have more elements than the
 * file has bytes.
 */
const MOST_SHARING = 10;

/** The contents of a file or folder of a CLIP model. */
export interface WeightsFile {
  path: string;
  /** what `torch.load` returned */
  content: Record<string, unknown>;
  /** state dict of the CLIP, under OpenAI's names */
  stateDict: StateDict;
  /** weight and bias of a classifier's linear layer; empty unless `apart` is true */
  linear: StateDict;
  /** a sentence that names the objects of the file that were left unread, if any */
  unread?: string;
  /** what the file says about the architecture of the CLIP */
  says: Says;
}

/** The contents of a file or folder of a CLIP, with its configuration. */
export interface ModelFile extends WeightsFile, Known {}

/**
 * Reads a CLIP from a file or a folder. A file may be a checkpoint of this library, of CleanCLIP's Python code or of
 * other training code. It may also be a state dict under the names of OpenAI, open_clip or transformers, one of
 * OpenAI's TorchScript archives, or safetensors. A folder may be one of open_clip or transformers.
 * @param path the file or folder
 * @param hints what the caller knows about the architecture
 * @param apart whether names under `linear.` belong to a classifier rather than to the CLIP; default false
 * @throws CleanclipError `ERR_CHECKPOINT` when it holds no CLIP, or does not fit the hints; `ERR_OPTION` when file and
 * hints contradict each other
 */
export const readModel = (path: string, hints: Hints = {}, apart = false): ModelFile =>
  knownModel(readWeights(path, apart), hints);

/** Finds the configuration of the model that weights belong to. Errors are those of {@link readModel}. */
export const knownModel = (file: WeightsFile, hints: Hints): ModelFile => ({
  ...file,
  ...knownConfig(shapesOf(file.stateDict), file.path, file.says, hints),
});

/** Reads what {@link readModel} reads, but does not yet find the configuration. */
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

/**
 * Refuses a state dict with far more elements than its file has bytes. Tensors may repeat their elements, so a file of
 * a kilobyte could ask for a model that fills any memory.
 */
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

/** Returns the configuration that a checkpoint of this library holds. Other code keeps other things under this key. */
function ownConfig(content: unknown, path: string): Stated | undefined {
  const { config } = content as { config?: unknown };
  const isOwn = typeof config === 'object' && config !== null && 'embedDim' in config && 'visionLayers' in config;
  return isOwn ? { config: config as unknown as ClipConfig, by: `the config in '${path}'` } : undefined;
}

/** Returns the configuration in the header of a safetensors file of this library. */
function headerConfig(path: string, files: string[]): Stated | undefined {
  const config = files.length === 1 && files[0].endsWith('.safetensors') ? configInHeader(files[0]) : undefined;
  return config && { config, by: `the header of '${path}'` };
}

/** Returns the shape of each tensor; other values are left out. */
export function shapesOf(dict: Record<string, unknown>): Shapes {
  return Object.fromEntries(
    Object.entries(dict).flatMap(([name, tensor]) => (isTensor(tensor) ? [[name, tensor.shape]] : [])),
  );
}
