import { isUtf8 } from 'node:buffer';

/** The keys of `--image_key` and `--caption_key`. */
export interface SampleKeys {
  imageKey: string;
  captionKey: string;
}

/** What a sample says, or why it is left out, as the end of a sentence. */
export type Found<Value> = { value: Value } | { reason: string };

/** Checks the captions of a sample: a string, or a list of strings, which may not be empty. */
export function captionsOf(value: unknown): Found<string[]> {
  if (value === undefined || value === null) return { reason: 'it has no caption' };
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length === 0) return { reason: 'its list of captions is empty' };
  const wrong = list.find((each) => typeof each !== 'string');
  if (wrong === undefined) return { value: list as string[] };
  return { reason: `its caption is no text, but ${wrong === null ? 'null' : `of type ${typeof wrong}`}` };
}

/** Whether a sample is marked as poisoned; without a mark, whether its name contains "backdoor". */
export function isMarked(mark: unknown, name: string): Found<boolean> {
  if (mark === undefined || mark === null || mark === '')
    return { value: mark === undefined && name.includes('backdoor') };
  if (mark === true || /^\s*(1|1\.0|true)\s*$/i.test(String(mark))) return { value: true };
  if (mark === false || /^\s*(0|0\.0|false)\s*$/i.test(String(mark))) return { value: false };
  return { reason: 'its is_backdoor is none of 1, 0, true and false' };
}

/** Decodes UTF-8, without its byte order mark and the line ends after it. */
export function decodeText(bytes: Uint8Array): Found<string> {
  if (!isUtf8(bytes)) return { reason: 'its text is no UTF-8; save it as UTF-8' };
  return {
    value: Buffer.from(bytes)
      .toString()
      .replace(/^\ufeff/, '')
      .replace(/[\r\n]+$/, ''),
  };
}
