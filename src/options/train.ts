import { availableParallelism } from 'node:os';

import { classifyOptions } from './classify';
import { flag, integer, integers, number, type Resolved, text } from './define';
import { distributedOptions } from './distributed';
import { evaluationOptions } from './evaluate';
import { measuringOptions } from './measuring';
import { pairColumnOptions } from './pair_columns';
import { reportOptions } from './report';
import { runName } from './run_name';
import { unusedOptions } from './unused';

/**
 * The options of training. Names and defaults are those of the Python reference, unless the doc of an option says
 * otherwise.
 */
export const trainOptions = {
  name: runName({ doc: 'name of the run; its files are in <logs>/<name>/', default: 'default' }),
  logs: text({ doc: 'folder of all runs', default: 'logs/', unit: 'folder' }),
  model_name: text({
    doc:
      'an OpenAI name (RN50, ViT-B/32, …), an open_clip name (ViT-B-32, ViT-H-14-quickgelu, …), a JSON file of ' +
      "sizes, or a model's folder; with a checkpoint it must match",
    default: undefined,
    unit: 'name|file',
    defaultText: "RN50; a checkpoint's own",
  }),
  activation: text({
    doc: "activation of the model's MLPs, for new weights or for a checkpoint that does not say it",
    default: undefined,
    choices: ['quick_gelu', 'gelu'],
    defaultText: "the model's; quick_gelu, with a warning, for a checkpoint that does not say",
  }),
  train_data: text({
    doc:
      'csv or tsv of image paths and captions, or shards: a/{0000..0331}.tar or *.parquet; without it the model is ' +
      'only evaluated, or finetuned by --finetune',
    default: undefined,
    unit: 'file',
  }),
  validation_data: text({
    doc: 'csv, tsv or shards of pairs for the validation loss',
    default: undefined,
    unit: 'file',
  }),
  ...pairColumnOptions,
  epochs: integer({ doc: 'passes over the training data', default: 64, min: 1, unit: 'epochs' }),
  batch_size: integer({ doc: 'pairs in a step, over all devices', default: 128, min: 2, unit: 'pairs' }),
  accum_freq: integer({
    doc:
      'split the batch into N micro-batches (GradCache): the memory of one, exact gradients (batch norm sees ' +
      'micro-batches), one extra forward pass',
    default: 1,
    min: 1,
    unit: 'parts',
  }),
  grad_checkpointing: flag(
    "keep only each block's input for the backward pass and recompute the rest: half the memory of activations, a " +
      'quarter more time',
  ),
  gather_with_grad: flag(
    "exchange the gradients of all ranks' features, exactly as for one whole batch; without it, each rank uses only " +
      'its own, as in Python',
  ),
  local_loss: flag(
    'let each rank compare only its own pairs with all pairs: same loss and gradients, less memory; needs ' +
      '--gather_with_grad',
  ),
  sync_batchnorm: flag('compute batch-norm statistics over the batches of all ranks'),
  lr: number({ doc: 'learning rate after the warm-up', default: 5e-4, min: 0, unit: 'rate' }),
  beta1: number({ doc: "AdamW's decay of the gradient average", default: 0.9, min: 0, max: 0.999999 }),
  beta2: number({ doc: "AdamW's decay of the squared-gradient average", default: 0.999, min: 0, max: 0.9999999 }),
  eps: number({ doc: "AdamW's term against division by 0", default: 1e-8, above: 0 }),
  weight_decay: number({ doc: "AdamW's weight decay; none for bn, ln, bias and logit_scale", default: 0.1, min: 0 }),
  num_warmup_steps: integer({ doc: 'steps over which the learning rate rises', default: 10000, unit: 'steps' }),
  checkpoint: text({
    doc:
      "file or folder to start from (checkpoint, state dict, TorchScript archive, safetensors; open_clip's, " +
      "Hugging Face's): weights, and optimizer and epoch if it has them",
    default: undefined,
    unit: 'file',
  }),
  pretrained: flag("start from OpenAI's weights of --model_name, from the cache or downloaded to it"),
  complete_finetune: flag(
    'start at epoch 1 with a fresh optimizer from the weights of --checkpoint, and write one epoch.pt',
  ),
  inmodal: flag("add CleanCLIP's losses within images and within texts, on augmented views"),
  augmented_columns: flag(
    'take the views of --inmodal from the columns augmented_<key> of --train_data, as augment-text and augment-image ' +
      'write them',
  ),
  clip_weight: number({ doc: 'weight of the image-text loss', default: 1, min: 0 }),
  inmodal_weight: number({ doc: 'weight of the in-modal losses', default: 1, min: 0 }),
  unlearn: flag(
    'take poisoned pairs out of the contrastive loss, and pull the similarity of their image and caption to ' +
      '--unlearn_target',
  ),
  unlearn_target: number({
    doc:
      'similarity that --unlearn pulls poisoned pairs to; with --compat reference they are pulled to its negative, ' +
      'as in the Python code',
    default: undefined,
    min: -1,
    max: 1,
    unit: 'cosine',
    defaultText: '0; -1 with --compat reference',
  }),
  constraint_weight: number({ doc: "weight of --unlearn's constraint", default: 1, min: 0 }),
  progressive: flag('drop the pairs of highest similarity from the training data after each of --progressive_epochs'),
  remove_fraction: number({
    doc: 'share of the pairs that --progressive drops each time',
    default: 0.02,
    min: 0,
    max: 0.999,
  }),
  progressive_epochs: integers({
    doc: 'epochs after which --progressive drops pairs; 0 is before training',
    unit: 'epoch',
  }),
  stop_epoch: integer({ doc: 'last epoch of --progressive', default: 40, min: 1, unit: 'epoch' }),
  num_workers: integer({
    doc: 'threads that load data; 0 loads in the training thread',
    default: Math.min(8, availableParallelism()),
    defaultText: '8, at most the number of cores',
    unit: 'threads',
  }),
  augment_on: text({
    doc:
      'where images of --train_data are resized and augmented: cpu (the threads that load them), or device (the ' +
      "model's; the threads only decode)",
    default: 'cpu',
    choices: ['cpu', 'device'],
  }),
  image_cache: text({
    doc:
      'folder of a file that keeps decoded images for later epochs and runs; without it, memory keeps up to 1 GiB ' +
      'within a run',
    default: undefined,
    unit: 'folder',
  }),
  resume: text({
    doc: 'auto: continue from the newest checkpoint of this run, or start when there is none',
    default: undefined,
    choices: ['auto'],
  }),
  max_steps: integer({
    doc: 'stop after N optimizer steps; the learning rate schedule ends there too',
    default: undefined,
    min: 1,
    unit: 'steps',
  }),
  save_every_steps: integer({
    doc: 'also write checkpoints/step.pt every N steps; 0 for never',
    default: 0,
    unit: 'steps',
  }),
  log_every: integer({
    doc: 'steps between log lines',
    default: undefined,
    min: 1,
    unit: 'steps',
    defaultText: 'five lines per epoch',
  }),
  ...measuringOptions,
  ...reportOptions,
  ...distributedOptions,
  ...unusedOptions,
  max_bad_rows: integer({
    doc: 'the most images that may be left out because they cannot be read; with more, the run ends',
    default: undefined,
    min: 0,
    unit: 'rows',
    defaultText: '1% of the rows, at least 100',
  }),
  strict: flag('refuse an image of training or validation data that cannot be read, instead of skipping it'),
  ...classifyOptions,
  ...evaluationOptions,
};

/** The options of `train` with their defaults filled in. */
export type TrainOptions = Resolved<typeof trainOptions>;
