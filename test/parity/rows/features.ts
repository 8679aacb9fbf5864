import { type ClipConfig } from '../../../src/clip/config';
import { configs } from '../../../src/clip/named';
import { type Tensor, torch } from '../../../src/torch';
import { drawnIds, livelyClip } from '../models';
import { inFolder, inPython, type Modules, modulesName, OTHER_ORDER } from './clip';
import { type Against, eachOf, largest, largestDifference, type Part, type Row } from './row';

const BATCH = 8;

interface Features {
  images: Tensor;
  texts: Tensor;
}

/** Features before they are made unit-norm, of padded captions. */
export function featureParts(name: string, config: ClipConfig, against: Against): Promise<Part[]> {
  return inFolder((folder) =>
    torch.tidy(() => {
      const clip = livelyClip(config, 1, false).eval();
      const generator = new torch.Generator(2);
      const pixels = torch.randn([BATCH, 3, config.imageSize, config.imageSize], { generator });
      const ids = drawnIds(config, BATCH, generator);
      const ours = torch.noGrad(() => ({ images: clip.encodeImage(pixels), texts: clip.encodeText(ids) }));
      const input = { state_dict: clip.stateDict(), pixels, ids };

      const parts = (modules: Modules, limit: number, note?: string): Part[] => {
        const theirs = inPython(folder, { job: 'features', modules, config }, input) as Features;
        return (['images', 'texts'] as const).map((kind) => ({
          part: `${name}, ${kind}; ${modulesName[modules]}`,
          cases: BATCH,
          measured: largestDifference(ours[kind], theirs[kind]) / largest(theirs[kind]),
          limit,
          note,
        }));
      };
      const result =
        against === 'reference'
          ? parts('reference', 1e-6, OTHER_ORDER)
          : [...parts('in order', 0), ...parts('plain', 1e-6, OTHER_ORDER)];
      clip.dispose();
      return result;
    }),
  );
}

export const features: Row = {
  name: 'features',
  what:
    'features of RN50 and ViT-B/32 of one state dict, fp32, batch of 8, padded text; relative to the largest ' +
    'feature',
  reference: true,
  measure: (against) => eachOf(['RN50', 'ViT-B/32'], (name) => featureParts(name, configs[name], against)),
};
