import { CleanclipError } from '../errors';
import { type Tensor, torch } from '../torch';
import { refuseForeignTensors } from './foreign';
import { fromHfNames, isHfName } from './hf_names';

/** Tensors by their names. */
export type StateDict = Record<string, Tensor>;

/**
 * Where training codes keep the state dict in a checkpoint; the first that is there is taken, so weights before their
 * moving average.
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

/** How deep a state dict may lie in a checkpoint. */
const DEEPEST = 4;

/** What torch.compile and parallel training put into names, anywhere. */
const wrappers = new Set(['module', '_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module']);

/** What a model in another's attribute has in front of its names. */
const holders = new Set(['model', 'clip', 'clip_model', 'net']);

/** The first parts of a CLIP's own names. */
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

/** Buffers and counts that training codes leave among the weights, which follow from the sizes or mean nothing. */
const extra = new Set(['attn_mask', 'total_ops', 'total_params', 'position_ids']);

/** Whether a value of a checkpoint is a tensor. */
export const isTensor = (value: unknown): value is Tensor => value instanceof torch.Tensor;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !isTensor(value);

/**
 * The state dict, of whatever names, in what `torch.load` returned: under one of the usual keys, or the content itself;
 * undefined when there is none.
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

/** How deep modules of a model may lie in each other. */
const DEEPEST_MODULE = 32;

const isModule = (value: unknown): value is ModuleRecord =>
  isObject(value) &&
  isObject(value.state) &&
  ['_modules', '_parameters', '_buffers'].every((name) => isObject((value.state as Record<string, unknown>)[name]));

/** The tensors of a module and those in it, by the names of its state dict. */
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

/** Whether a state dict is of one of OpenAI's TorchScript archives. */
export const isOpenAiArchive = (dict: Record<string, unknown>): boolean => [...notes].every((name) => name in dict);

/**
 * A state dict under OpenAI's names: without prefixes of wrappers in any order, without buffers that follow from the
 * sizes; from the names of transformers' CLIPModel or open_clip's CustomTextCLIP; with projections [in, out], of which
 * a linear layer stores the transpose. Scalars stored as [1] become scalars. What has no such name keeps its own.
 * @throws CleanclipError `ERR_CHECKPOINT` when two tensors have one name, or the model is of a kind that cannot be
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

/** Names without the first part that all have in common, if a CLIP's names come after it. */
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
