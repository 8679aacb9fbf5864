import { flag, integer } from './define';

/** Flags of the Python code that do nothing there either, accepted so that its command lines work. */
export const unusedOptions = {
  defense: flag('accepted but not used, as in the Python code'),
  defense_epoch: integer({ doc: 'accepted but not used, as in the Python code', default: 30, unit: 'epoch' }),
  crop_size: integer({ doc: 'accepted but not used, as in the Python code', default: 100, unit: 'pixels' }),
};

/** Returns a sentence for each flag that was given and does nothing. */
export const unusedWarnings = (options: { defense: boolean }): string[] =>
  options.defense ? ['--defense does nothing, as in the Python code.'] : [];
