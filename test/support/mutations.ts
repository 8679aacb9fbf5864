import { writeFileSync } from 'node:fs';

import { CleanclipError } from '../../src/errors';
import { torch } from '../../src/torch';

/**
 * Loads these bytes from `path`; true when they gave a value, false when a CleanclipError of one sentence did. Anything
 * else fails the test.
 */
export function loads(path: string, bytes: Uint8Array): boolean {
  writeFileSync(path, bytes);
  return torch.tidy(() => {
    try {
      torch.load(path, { onUnread: () => undefined });
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(CleanclipError);
      expect(error).toMatchObject({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(/^The checkpoint \P{Cc}{10,600}$/u),
      });
      return false;
    }
  });
}

/** Cuts a file after every `step` bytes: each piece is refused. */
export function refusesEveryCut(path: string, whole: Uint8Array, step = 1): void {
  for (let size = 0; size < whole.length; size += step) {
    if (loads(path, whole.subarray(0, size))) throw new Error(`The first ${size} of ${whole.length} bytes were read.`);
  }
}

/**
 * Changes every `step`th byte, another bit each time: a value or a sentence, never anything else. Returns how many were
 * refused.
 */
export function survivesChangedBytes(path: string, whole: Uint8Array, step = 1): number {
  let refused = 0;
  for (let at = 0; at < whole.length; at += step) {
    for (const mask of [1 << (at % 8), 0xff]) {
      const changed = Buffer.from(whole);
      changed[at] ^= mask;
      if (!loads(path, changed)) refused++;
    }
  }
  return refused;
}
