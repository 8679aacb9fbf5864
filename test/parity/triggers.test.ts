import { makeTrigger, patchTypes, type PatchLocation } from '../../src/backdoor/triggers';
import { Random } from '../../src/random';
import { torch } from '../../src/torch';
import { python } from './python';

const side = 40;
const values = Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 37 + (i >> 5) * 11) % 256);
const image = torch.tensor(values, { shape: [3, side, side] });
const cases = patchTypes.flatMap((patchType) =>
  (['four_corners', 'blended'] satisfies PatchLocation[]).map((patchLocation) => ({ patchType, patchLocation, patchSize: 9, seed: 7 })),
);
const expected = python('triggers.py', { image: image.toArray(), cases }) as { floats: number[][][]; bytes: number[][][] }[];

test.each(cases.map((options, i) => [options.patchType, options.patchLocation, options, expected[i]] as const))(
  '%s, %s: the same seed gives the trigger of the reference',
  (_, __, options, { floats, bytes }) => {
    const trigger = makeTrigger({ ...options, imageSize: side });
    const shown = trigger.apply(image.to('float32').div(255), new Random(0)).data() as Float32Array;
    expect(Math.max(...floats.flat(2).map((value, i) => Math.abs(value - shown[i])))).toBeLessThan(1e-5);

    const quantised = trigger.apply(image, new Random(0)).data() as Uint8Array;
    const apart = bytes.flat(2).filter((value, i) => value !== quantised[i]);
    expect(apart.length / quantised.length).toBeLessThan(0.001); // a value on the edge of a level may fall on either side
  },
);
