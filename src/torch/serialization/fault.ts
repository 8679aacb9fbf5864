/**
 * A defect of a checkpoint. The message is the rest of a sentence that begins with the name of the file; `load` turns
 * it into a CleanclipError.
 */
export class Fault extends Error {}

/** The deepest nesting of values that is read. Deeper values are refused before they exhaust the stack. */
export const maxDepth = 500;

/** Makes a string from the file fit for a message: at most 100 characters, and no control characters. */
export const shown = (text: string): string => text.slice(0, 100).replace(/\p{C}/gu, '?');
