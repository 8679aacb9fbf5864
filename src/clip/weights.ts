import { statSync } from 'node:fs';

import { CleanclipError } from '../errors';
import { torch, type Tensor } from '../torch';
import type { ClipConfig, Shapes } from './config';

/** Tensors by their names. */
export type StateDict = Record<string, Tensor>;

/** How many names an error lists. */
const LISTED = 10;

/** By how much tensors that share memory may make a state dict larger than its file. */
const MOST_SHARING = 10;

/** Sizes that OpenAI's files store beside the tensors. */
const notes = ['input_resolution', 'context_length', 'vocab_size'];

/**
 * The model's state dict in what `torch.load` returned: a checkpoint's `state_dict`, or the content itself; without the
 * `module.` that DistributedDataParallel puts in front of names.
 * @param path the file it was read from
 * @throws CleanclipError `ERR_CHECKPOINT` when there is none
 */
export function stateDictIn(content: unknown, path: string): StateDict {
  const dict = (isObject(content) && content.state_dict) || content;
  if (!isObject(dict) || !Object.values(dict).some(isTensor)) {
    throw new CleanclipError(`'${path}' holds no state dict of a model; give a checkpoint of cleanclip or of the Python code.`, 'ERR_CHECKPOINT');
  }
  checkSize(dict, path);
  return withoutPrefix(dict as StateDict);
}

/** Tensors may repeat their elements, so a file of a kilobyte could ask for a model that fills any memory. */
function checkSize(dict: Record<string, unknown>, path: string): void {
  const elements = Object.values(dict).filter(isTensor).reduce((sum, tensor) => sum + tensor.numel(), 0);
  const { size } = statSync(path);
  if (elements > MOST_SHARING * size) {
    throw new CleanclipError(
      `'${path}' has ${size} bytes for ${elements} weights; save a state dict whose tensors do not repeat their elements.`,
      'ERR_CHECKPOINT',
    );
  }
}

/** The configuration beside a state dict in a checkpoint of this library. */
export function configIn(content: unknown): Partial<ClipConfig> | undefined {
  return isObject(content) && isObject(content.config) ? content.config : undefined;
}

/** The same state dict under the names of a model that is not distributed. */
function withoutPrefix(dict: StateDict): StateDict {
  const entries = Object.entries(dict).map(([name, tensor]) => [name.replace(/^module\./, ''), tensor] as const);
  return Object.fromEntries(entries.filter(([name]) => !notes.includes(name)));
}

/** The shape of each tensor; what is none is left out. */
export function shapesOf(dict: StateDict): Shapes {
  const tensors = Object.entries(dict).filter(([, tensor]) => isTensor(tensor));
  return Object.fromEntries(tensors.map(([name, tensor]) => [name, tensor.shape]));
}

/**
 * Copies a state dict into a model's tensors, whatever its dtype and device.
 * @param own the model's tensors
 * @throws CleanclipError `ERR_CHECKPOINT` with up to ten names that are missing, unexpected or of another shape; nothing was copied then
 */
export function copyStateDict(own: StateDict, given: StateDict): void {
  const source = withoutPrefix(given);
  const faults = [...faultsOf(own, source)];
  if (faults.length > 0) {
    const rest = faults.length > LISTED ? `; and ${faults.length - LISTED} more` : '';
    throw new CleanclipError(
      `The state dict does not fit the model: ${faults.slice(0, LISTED).join('; ')}${rest}. Load a checkpoint of the same architecture.`,
      'ERR_CHECKPOINT',
    );
  }
  torch.noGrad(() => {
    for (const [name, tensor] of Object.entries(own)) tensor.copy_(source[name]);
  });
}

function* faultsOf(own: StateDict, source: StateDict): Generator<string> {
  const shape = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;
  for (const [name, tensor] of Object.entries(own)) {
    const other = source[name];
    if (!Object.hasOwn(source, name)) yield `${name} ${shape(tensor)} is missing`;
    else if (!isTensor(other)) yield `${name} is no tensor`;
    else if (shape(other) !== shape(tensor)) yield `${name} is ${shape(other)}, and the model's is ${shape(tensor)}`;
  }
  for (const [name, tensor] of Object.entries(source)) {
    if (!Object.hasOwn(own, name)) yield `${name}${isTensor(tensor) ? ` ${shape(tensor)}` : ''} is unexpected`;
  }
}

const isTensor = (value: unknown): value is Tensor => value instanceof torch.Tensor;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
