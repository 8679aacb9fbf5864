// The names of triggers and their places, for the options of the commands too.

export const patchTypes = ['random', 'yellow', 'blended', 'SIG', 'warped'] as const;
export const patchLocations = ['random', 'four_corners', 'blended'] as const;
export const triggerModes = ['fixed', 'resampled'] as const;
export type PatchType = (typeof patchTypes)[number];
export type PatchLocation = (typeof patchLocations)[number];
export type TriggerMode = (typeof triggerModes)[number];
