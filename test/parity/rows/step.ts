import { type ClipConfig, configs } from '../../../src/clip/config';
import { resolve } from '../../../src/options/define';
import { trainOptions } from '../../../src/options/train';
import { torch, type Tensor } from '../../../src/torch';
import { makeOptimizer } from '../../../src/training/optimizer';
import { trainStep } from '../../../src/training/step';
import { livelyClip } from '../models';
import { drawnBatch, inFolder, inPython, type Modules, modulesName, OTHER_ORDER, tensorsOf } from './clip';
import { differenceByName, eachOf, type Part, type Row } from './row';

const BATCH = 8;
const FLIPPED =
  `${OTHER_ORDER} Gradients magnify that: at a ReLU, a value that falls on the other side of 0 takes or loses its whole gradient. ` +
  'In the same order nothing differs.';

/** The loss and every gradient of one step of CleanCLIP, as training takes it. */
export function stepParts(name: string, config: ClipConfig, kinds: readonly Modules[]): Promise<Part[]> {
  return inFolder((folder) =>
    torch.tidy(() => {
      const clip = livelyClip(config, 3);
      const batch = drawnBatch(config, BATCH, 4);
      const options = resolve(trainOptions, { inmodal: true, inmodalWeight: 0.5 });
      const { clipWeight, inmodalWeight } = options;
      const input = { state_dict: clip.stateDict(), batches: [tensorsOf(batch)] };
      const theirs = kinds.map((modules) => inPython(folder, { job: 'step', modules, config, clipWeight, inmodalWeight }, input));

      let gradients: Record<string, Tensor> = {};
      const optimizer = makeOptimizer(clip, options);
      optimizer.step = () => {
        gradients = Object.fromEntries(clip.namedParameters().map(([key, parameter]) => [key, torch.keep(parameter.grad!.clone())]));
      };
      const { loss } = trainStep(clip, optimizer, batch, options, 'cpu');

      const parts = kinds.flatMap((modules, i): Part[] => {
        const python = theirs[i] as { loss: Tensor; gradients: Record<string, Tensor> };
        const { difference, largest } = differenceByName(gradients, python.gradients);
        const of = `${name}; ${modulesName[modules]}`;
        const inOrder = modules === 'in order';
        return [
          { part: `loss, ${of}`, cases: 1, measured: Math.abs(loss - python.loss.item()) / Math.abs(loss), limit: 1e-6 },
          {
            part: `gradients, ${of}`,
            cases: Object.keys(gradients).length,
            measured: difference / largest,
            limit: 1e-6,
            ...(!inOrder && { note: FLIPPED, explained: true }),
          },
        ];
      });
      Object.values(gradients).forEach((gradient) => gradient.dispose());
      clip.dispose();
      return parts;
    }),
  );
}

export const step: Row = {
  name: 'step',
  what: 'loss and every gradient of one CleanCLIP step of 8 pairs and their views, relative to the largest gradient',
  reference: true,
  measure: (against) =>
    eachOf(['RN50', 'ViT-B/32'], (name) => stepParts(name, configs[name], against === 'torch' ? ['in order', 'plain'] : ['reference'])),
};
