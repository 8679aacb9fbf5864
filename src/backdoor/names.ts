// The names of triggers and their places, for the options of the commands too.

/** What a trigger may show; {@link PatchType} explains each. */
export const patchTypes = ['random', 'yellow', 'blended', 'SIG', 'warped'] as const;
/** Where a trigger may lie on an image. */
export const patchLocations = ['random', 'four_corners', 'blended'] as const;
/** Whether all images get one pattern, or each a new one. */
export const triggerModes = ['fixed', 'resampled'] as const;
/** What a trigger shows. */
export type PatchType = (typeof patchTypes)[number];
/** Where a trigger lies. */
export type PatchLocation = (typeof patchLocations)[number];
/** Whether the pattern is fixed or drawn anew for each image. */
export type TriggerMode = (typeof triggerModes)[number];
