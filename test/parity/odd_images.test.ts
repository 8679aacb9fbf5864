import { readFileSync } from 'node:fs';

import { decodeImage } from '../../src/images/image';
import { torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';
import { joined } from '../support/patterns';
import { python } from './python';

interface Odd {
  file: string;
  name: string;
  /** file of PIL's pixels; null where PIL refuses */
  expected: string | null;
  width: number;
  height: number;
}

/** What is made of a file, beside what PIL makes of it: the largest difference of a byte, or who refuses it and why. */
async function compared({ file, expected, width, height }: Odd): Promise<number | string> {
  let image;
  try {
    image = await decodeImage(file);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== 'ERR_DATA') return `an error of the code ${code}: ${message}`;
    return expected === null ? 'both refuse' : message.replace(/^.*, but /, '');
  }
  const [, shownHeight, shownWidth] = image.shape;
  const pixels = torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array;
  image.dispose();
  if (expected === null) return 'PIL refuses';
  if (shownWidth !== width || shownHeight !== height)
    return `${shownWidth} × ${shownHeight} instead of ${width} × ${height}`;
  return readFileSync(expected).reduce((largest, value, i) => Math.max(largest, Math.abs(value - pixels[i])), 0);
}

// what PIL reads and is refused, as docs/images.md says
const refused: Record<string, RegExp> = {
  tif: /CIELAB|YCbCr in a form|bits lie in planes|compression 7 does not go with|which PIL reads wrongly/,
  png: /it has no palette/,
  damaged: joined(
    /it ends |damaged, and it is interlaced|it has no palette|none of its rows can be decoded/,
    /|cannot be unpacked|claims|header/,
  ),
};

describe.each([
  ['tif', 0],
  ['png', 0],
  ['gif', 0],
  ['bmp', 0],
  ['pnm', 0],
  ['jpg', 2],
  ['webp', 2],
  ['avif', 2],
])('%s as PIL', (kind, tolerance) => {
  const read = async (damage: boolean, allowed: RegExp): Promise<Record<string, number | string>> => {
    const files = python('odd_images.py', { job: 'odd', folder: temporaryFolder(), kind, damage }) as Odd[];
    expect(files.length).toBeGreaterThan(2);
    const odd: Record<string, number | string> = {};
    for (const file of files) {
      const outcome = await compared(file);
      const isRight =
        typeof outcome === 'number'
          ? outcome <= tolerance
          : /^(both refuse|PIL refuses)$/.test(outcome) || allowed.test(outcome);
      if (!isRight) odd[file.name] = outcome;
    }
    return odd;
  };

  test('whole', async () => {
    expect(await read(false, refused[kind] ?? /^$/)).toEqual({});
  });

  if (kind !== 'tif') {
    test('cut and damaged', async () => {
      expect(await read(true, refused.damaged)).toEqual({});
    });
  }
});
