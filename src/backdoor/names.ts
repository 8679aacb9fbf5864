// The names of the triggers' options. The options of the commands use them too, so this file imports nothing.

/** The patterns of triggers; `TriggerOptions.patchType` explains each. */
export const patchTypes = ['random', 'yellow', 'blended', 'SIG', 'warped'] as const;
/** The locations of triggers; `TriggerOptions.patchLocation` explains each. */
export const patchLocations = ['random', 'four_corners', 'blended'] as const;
/** The modes of triggers; `TriggerOptions.triggerMode` explains each. */
export const triggerModes = ['fixed', 'resampled'] as const;
/** The pattern of a trigger; `TriggerOptions.patchType` explains each name. */
export type PatchType = (typeof patchTypes)[number];
/** The location of a trigger on the image; `TriggerOptions.patchLocation` explains each name. */
export type PatchLocation = (typeof patchLocations)[number];
/** Whether all images get one pattern (`fixed`), or each image a new one (`resampled`). */
export type TriggerMode = (typeof triggerModes)[number];
