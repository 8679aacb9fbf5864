import { patchLocations, patchTypes, triggerModes } from '../backdoor/names';
import { integer, text } from './define';

/** Options of the trigger, for poisoning and for the attack. */
export const triggerOptions = {
  patch_type: text({
    doc: 'what the trigger shows',
    default: 'random',
    choices: patchTypes,
  }),
  patch_location: text({ doc: 'where the trigger goes', default: 'random', choices: patchLocations }),
  patch_size: integer({ doc: 'side of a patch', default: 16, min: 1, unit: 'pixels' }),
  trigger_mode: text({
    doc: 'fixed: one trigger drawn from the seed; resampled: drawn anew for every image',
    default: undefined,
    defaultText: 'fixed; resampled with --compat reference',
    choices: triggerModes,
  }),
};
