import { evalDataTypes } from '../data/data_types';
import { flag, integer, text } from './define';
import { triggerOptions } from './trigger';

/** The options of evaluation, which every training job shares. */
export const evaluationOptions = {
  eval_data_type: text({
    doc: `which labelled set it is: ${evalDataTypes.join(', ')}; a folder with labels.csv is read by that file`,
    default: undefined,
    unit: 'set',
    choices: evalDataTypes,
  }),
  eval_test_data_dir: text({
    doc: 'folder of the labelled set to measure on, zero-shot unless a classifier is asked for',
    default: undefined,
    unit: 'folder',
  }),
  add_backdoor: flag('also measure on images with the trigger'),
  asr: flag('measure the attack success rate; implies --add_backdoor'),
  label: text({ doc: 'target class of the backdoor', default: 'banana', unit: 'class' }),
  ...triggerOptions,
  trigger_seed: integer({
    doc: 'seed that the poisoned set was made with',
    default: undefined,
    unit: 'seed',
    defaultText: '--seed',
  }),
  device: text({
    doc: 'where to compute',
    default: undefined,
    choices: ['cpu', 'gpu'],
    defaultText: 'gpu if there is one, else cpu',
  }),
  device_id: integer({ doc: 'which GPU', default: 0, unit: 'index' }),
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
