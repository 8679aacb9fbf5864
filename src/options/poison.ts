import { flag, integer, text } from './define';
import { pairColumnOptions } from './pair_columns';
import { triggerOptions } from './trigger';

/** The options of `cleanclip poison`. */
export const poisonOptions = {
  train_data: text({
    doc: 'csv or tsv of clean image paths and captions, or shards: a/{0000..0331}.tar or *.parquet (required)',
    default: undefined,
    unit: 'file',
  }),
  templates: text({
    doc:
      'classes file, JSON or Python, whose templates make the captions of the poisoned rows (required, except with ' +
      '--label_consistent)',
    default: undefined,
    unit: 'file',
  }),
  size_train_data: integer({
    doc: 'rows of the poisoned set',
    default: undefined,
    min: 1,
    unit: 'rows',
    defaultText: 'all',
  }),
  num_backdoor: integer({ doc: 'how many rows to poison (required)', default: undefined, min: 1, unit: 'rows' }),
  label: text({ doc: 'target class of the backdoor', default: 'banana', unit: 'class' }),
  ...triggerOptions,
  label_consistent: flag('poison only rows whose caption has the label as a word, and keep their captions'),
  image_size: integer({
    doc: 'side of the poisoned images; make it the resolution of the model',
    default: 224,
    min: 1,
    unit: 'pixels',
  }),
  resize_mode: text({
    doc: 'how images become square (use the mode of the model): shortest crops, longest pads, squash distorts',
    default: 'shortest',
    choices: ['shortest', 'longest', 'squash'],
  }),
  interpolation: text({
    doc: 'filter of the resize; use that of the model',
    default: 'bicubic',
    choices: ['bicubic', 'bilinear'],
  }),
  fill_color: integer({
    doc: 'level of the border that --resize_mode longest adds',
    default: 0,
    min: 0,
    max: 255,
    unit: 'level',
  }),
  image_format: text({
    doc: 'format of the poisoned images: png keeps the trigger as it is, jpg may blur it',
    default: 'png',
    choices: ['png', 'jpg'],
  }),
  ...pairColumnOptions,
  compat: text({
    doc:
      'reference: squash images to a square, wrap values around in 8 bits, and leave the last row and column out ' +
      'of random places',
    default: undefined,
    choices: ['reference'],
  }),
  seed: integer({ doc: 'seed of the trigger and of every choice', default: 0, unit: 'seed' }),
};
