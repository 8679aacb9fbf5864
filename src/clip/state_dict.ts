import { CleanclipError } from '../errors';
import { type Tensor, torch } from '../torch';
import { refuseForeignTensors } from './foreign';
import { fromHfNames, isHfName } from './hf_names';

/** Tensors by name, as Python's state dicts. */
export type StateDict = Record<string, Tensor>;

/**
 * The keys under which training code keeps the state dict in a checkpoint. The first that exists is used, so weights
 * come before their moving average.
 */
const keys = [
  'state_dict',
  'model_state_dict',
  'model',
  'model_state',
  'module',
  'net',
  'clip',
  'weights',
  'state_dict_ema',
  'model_ema',
  'ema',
];

/** The deepest nesting of a state dict in a checkpoint. */
const DEEPEST = 4;

/** Parts that torch.compile and parallel training insert anywhere in names. */
const wrappers = new Set(['module', '_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module']);

/** Prefixes of the names of a model that is an attribute of another. */
const holders = new Set(['model', 'clip', 'clip_model', 'net']);

/** The first parts of the names of a CLIP itself. */
const own = new Set([
  'visual',
  'transformer',
  'token_embedding',
  'positional_embedding',
  'ln_final',
  'text_projection',
  'logit_scale',
  'logit_bias',
  'text',
  'text_model',
  'vision_model',
  'visual_projection',
  'linear',
]);

/** Sizes that OpenAI's TorchScript archives store beside the tensors. */
const notes = new Set(['input_resolution', 'context_length', 'vocab_size']);

/** Buffers and counts that training code leaves among the weights. They follow from the sizes or have no meaning. */
const extra = new Set(['attn_mask', 'total_ops', 'total_params', 'position_ids']);

/** Tells whether a value of a checkpoint is a tensor. */
export const isTensor = (value: unknown): value is Tensor => value instanceof torch.Tensor;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !isTensor(value);

/**
 * Finds the state dict, with any names, in what `torch.load` returned: under one of the usual keys, or the content
 * itself. Returns undefined when there is none.
 */
export function rawStateDict(content: unknown, depth = DEEPEST): Record<string, unknown> | undefined {
  if (!isObject(content) || depth === 0) return undefined;
  if (isModule(content)) return Object.fromEntries(moduleTensors(content));
  for (const key of keys) {
    const inner = Object.hasOwn(content, key) ? rawStateDict(content[key], depth - 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return Object.values(content).some(isTensor) ? content : undefined;
}

/** The inert record of a `torch.nn.Module` that was saved whole. */
interface ModuleRecord {
  state: Record<'_modules' | '_parameters' | '_buffers', Record<string, unknown>>;
}

/** The deepest nesting of modules in a model. */
const DEEPEST_MODULE = 32;

const isModule = (value: unknown): value is ModuleRecord =>
  isObject(value) &&
  isObject(value.state) &&
  ['_modules', '_parameters', '_buffers'].every((name) => isObject((value.state as Record<string, unknown>)[name]));

/** Collects the tensors of a module and of the modules in it, by the names of its state dict. */
function moduleTensors({ state }: ModuleRecord, prefix = '', depth = 0): [string, unknown][] {
  if (depth > DEEPEST_MODULE) return [];
  const own = [...Object.entries(state._parameters), ...Object.entries(state._buffers)].filter(([, value]) =>
    isTensor(value),
  );
  const inner = Object.entries(state._modules).flatMap(([name, module]) =>
    isModule(module) ? moduleTensors(module, `${prefix}${name}.`, depth + 1) : [],
  );
  return [...own.map(([name, value]): [string, unknown] => [prefix + name, value]), ...inner];
}

/** Tells whether a state dict comes from one of OpenAI's TorchScript archives. */
export const isOpenAiArchive = (dict: Record<string, unknown>): boolean => [...notes].every((name) => name in dict);

/**
 * Renames a state dict to OpenAI's names, from those of OpenAI, open_clip's CustomTextCLIP or CLIPModel of
 * transformers. Prefixes of wrappers are removed, and so are buffers that follow from the sizes. Projections become
 * [in, out]; a linear layer stores the transpose. Scalars stored as [1] become []. A tensor without an OpenAI name
 * keeps its own.
 * @throws CleanclipError `ERR_CHECKPOINT` when two tensors get the same name, or the model is of a kind that cannot be
 * built here
 */
export function underOpenAiNames(dict: Record<string, unknown>, path: string): Record<string, unknown> {
  const bare = withoutHolder(
    Object.entries(dict).map(([name, value]): [string, unknown] => [withoutWrappers(name), value]),
  );
  const kept = bare.filter(([name]) => !notes.has(name) && !extra.has(name.slice(name.lastIndexOf('.') + 1)));
  const names = kept.map(([name]) => name);
  refuseForeignTensors(names, path);
  const entries = names.some(isHfName)
    ? fromHfNames(kept)
    : kept.map(([name, value]): [string, unknown] => [name.replace(/^text\./, ''), value]);
  const result: Record<string, unknown> = {};
  for (const [name, value] of asOpenAi(entries)) {
    if (Object.hasOwn(result, name)) {
      throw new CleanclipError(
        `'${path}' has more than one tensor that is the model's ${name}; save the state dict of one model alone.`,
        'ERR_CHECKPOINT',
      );
    }
    result[name] = value;
  }
  return result;
}

function withoutWrappers(name: string): string {
  const parts = name.split('.').filter((part) => !wrappers.has(part));
  const first = parts.findIndex((part) => !holders.has(part));
  return parts.slice(Math.max(0, first)).join('.');
}

/** Removes the first part of the names when all names share it and names of a CLIP follow it. */
function withoutHolder(entries: [string, unknown][]): [string, unknown][] {
  const [holder, ...others] = new Set(entries.map(([name]) => name.split('.', 1)[0]));
  if (holder === undefined || others.length > 0 || own.has(holder)) return entries;
  const rest = entries.map(([name, value]): [string, unknown] => [name.slice(holder.length + 1), value]);
  return rest.some(([name]) => own.has(name.split('.', 1)[0])) ? rest : entries;
}

function asOpenAi(entries: [string, unknown][]): [string, unknown][] {
  const biased = entries.some(([name]) => name === 'text_projection.bias');
  return entries.map(([name, value]) => {
    if (!isTensor(value)) return [name, value];
    if ((name === 'text_projection.weight' && !biased) || name === 'visual.proj.weight')
      return [name.slice(0, -'.weight'.length), value.shape.length === 2 ? value.t() : value];
    const scalar =
      /(^logit_(scale|bias)|\.num_batches_tracked)$/.test(name) && value.shape.length === 1 && value.shape[0] === 1;
    return [name, scalar ? value.reshape([]) : value];
  });
}
