import { evalDataTypes } from '../data/data_types';
import { flag, integer, type OptionSpec, text, texts } from './define';
import { triggerOptions } from './trigger';

/** Labelled sets to measure on, each by a name and a folder: `CIFAR10=data/cifar10`. */
const labelledSets: OptionSpec<string[] | undefined> = {
  ...texts({
    doc: 'labelled sets to measure on, in one table: CIFAR10=folder, or any name for a folder with labels.csv',
    unit: 'name=folder',
  }),
  expects: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && /^[^=]+=./.test(item))
      ? undefined
      : 'one or more of name=folder',
};

/** The options of evaluation, which every training job shares. */
export const evaluationOptions = {
  eval_data_type: text({
    doc: `name of the labelled set: ${evalDataTypes.join(', ')}; a folder with labels.csv is read by that file`,
    default: undefined,
    unit: 'set',
    choices: evalDataTypes,
  }),
  eval_test_data_dir: text({
    doc: 'folder of the labelled set to measure on, zero-shot unless a classifier is asked for',
    default: undefined,
    unit: 'folder',
  }),
  eval: labelledSets,
  add_backdoor: flag('also measure on images with the trigger'),
  asr: flag('measure the attack success rate; implies --add_backdoor'),
  label: text({ doc: 'target class of the backdoor', default: 'banana', unit: 'class' }),
  save_predictions: integer({
    doc: 'images, drawn by the seed, whose predictions each evaluation stores in predictions/, for cleanclip report',
    default: 0,
    max: 1000,
    unit: 'images',
  }),
  ...triggerOptions,
  trigger_seed: integer({
    doc: 'seed of the trigger, as when the poisoned set was made',
    default: undefined,
    unit: 'seed',
    defaultText: '--seed',
  }),
  device: text({
    doc: 'device to compute on',
    default: undefined,
    choices: ['cpu', 'gpu'],
    defaultText: 'gpu if there is one, else cpu',
  }),
  device_id: integer({ doc: 'index of the GPU', default: 0, unit: 'index' }),
  precision: text({
    doc:
      'bf16, fp16: autocast over the forward pass (fp16 scales the loss); auto: bf16 where the hardware has its ' +
      'instructions, except with --compat reference',
    default: 'auto',
    choices: ['auto', 'fp32', 'bf16', 'fp16'],
  }),
  seed: integer({
    doc: 'seed of the initial weights, the order of the data and the augmentations',
    default: 0,
    unit: 'seed',
  }),
  compat: text({
    doc:
      'reference: behave as the Python code where cleanclip differs on purpose: epoch numbering, optimizer state ' +
      'on finetuning, long captions, triggers, --unlearn_target',
    default: undefined,
    choices: ['reference'],
  }),
};
