/**
 * What is wrong with a checkpoint, as the rest of a sentence that begins with the file's name. `load` makes it a
 * CleanclipError.
 */
export class Fault extends Error {}

/** How deep values may lie in one another; deeper ones are refused before they exhaust the stack. */
export const maxDepth = 500;

/** A text from the file as a message may show it: short, and without control characters. */
export const shown = (text: string): string => text.slice(0, 100).replace(/\p{C}/gu, '?');
