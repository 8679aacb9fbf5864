import { join } from 'node:path';

import { type PatchLocation, type PatchType, patchTypes } from '../../../src/backdoor/names';
import { makeTrigger } from '../../../src/backdoor/triggers';
import { Random } from '../../../src/random';
import { type Tensor, torch } from '../../../src/torch';
import { python } from '../python';
import { inFolder } from './clip';
import { byteDifference, type Part, type Row } from './row';

const SIDE = 224;
const PATCH = 16;

interface Case {
  patchType: PatchType;
  patchLocation: PatchLocation;
  patchSize: number;
  seed: number;
  /** [row, column] of a random place */
  place: number[];
}

/** Whether the repository can: it makes patterns of the image's size or the patch's, whatever the location. */
const possibleThere = ({ patchType, patchLocation }: Case): boolean =>
  patchType === 'warped' || (patchType === 'blended' || patchType === 'SIG') === (patchLocation === 'blended');

function casesAt(patchType: PatchType, patchLocation: PatchLocation, patchSize: number): Case {
  const seed = 7;
  const random = new Random(seed);
  return {
    patchType,
    patchLocation,
    patchSize,
    seed,
    place: [random.int(SIDE - patchSize + 1), random.int(SIDE - patchSize + 1)],
  };
}

const allCases = patchTypes.flatMap((type) =>
  (['random', 'four_corners', 'blended'] as const).map((location) => casesAt(type, location, PATCH)),
);

export const triggers: Row = {
  name: 'triggers',
  what:
    `triggers on a ${SIDE}-pixel image with the same noise: every patch type at every location, quantised; in ` +
    'levels of 255',
  reference: true,
  measure: (against) =>
    inFolder((folder) => {
      const pixels = Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, i) => 40 + (((i * 37) >> 3) % 190));
      const image = torch.tensor(pixels, { shape: [3, SIDE, SIDE] });
      const cases = against === 'reference' ? allCases.filter(possibleThere) : allCases;
      const file = join(folder, 'shown.pt');
      torch.save({ image }, join(folder, 'image.pt'));
      const { grid } = python('triggers.py', {
        against,
        image_file: join(folder, 'image.pt'),
        cases,
        output: file,
      }) as { grid: boolean };
      const theirs = torch.load(file) as { shown: Tensor[]; grid?: Tensor };

      let [worst, wrapped, values] = [0, 0, 0];
      cases.forEach((given, i) => {
        const noise = grid && given.patchType === 'warped' ? theirs.grid : undefined;
        const trigger = makeTrigger({ ...given, noise, imageSize: SIDE });
        const ours = trigger.apply(image, new Random(given.seed)).data() as Uint8Array;
        const expected = theirs.shown[i].data() as Uint8Array;
        const inRange = (value: number): boolean => value > 0 && value < 255;
        const kept =
          against === 'reference' && given.patchType === 'random'
            ? [...ours.keys()].filter((at) => inRange(ours[at]))
            : [...ours.keys()];
        worst = Math.max(
          worst,
          byteDifference(
            Uint8Array.from(kept, (at) => ours[at]),
            Uint8Array.from(kept, (at) => expected[at]),
          ),
        );
        wrapped += ours.filter((value, at) => !inRange(value) && value !== expected[at]).length;
        values += ours.length;
        trigger.dispose();
      });
      const parts: Part[] = [{ part: 'largest difference', cases: cases.length, measured: worst, limit: 1 }];
      if (against === 'reference') {
        parts.push({
          part: 'values of random patches out of range, which wrap around there',
          cases: values,
          measured: wrapped,
          limit: 0,
          note:
            "Decided: they are clipped here. What cannot be combined there (a pattern of the patch's size over " +
            'the whole image) is not compared.',
          explained: true,
        });
      }
      return parts;
    }),
};
