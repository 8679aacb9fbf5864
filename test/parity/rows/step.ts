import { type ClipConfig } from '../../../src/clip/config';
import { configs } from '../../../src/clip/named';
import { resolve } from '../../../src/options/define';
import { trainOptions } from '../../../src/options/train';
import { type Tensor, torch } from '../../../src/torch';
import { makeOptimizer } from '../../../src/training/optimizer';
import { lossWeights, trainStep } from '../../../src/training/step';
import { livelyClip } from '../models';
import { drawnBatch, inFolder, inPython, type Modules, modulesName, OTHER_ORDER, tensorsOf } from './clip';
import { differenceByName, eachOf, type Part, type Row, type Tensors } from './row';

const BATCH = 8;
const NEARER =
  `${OTHER_ORDER} Either order is as far from the gradients in float64 (the shares of error in REPORT.md): ` +
  'float32 decides no more.';

interface Step {
  loss: Tensor;
  gradients: Tensors;
}

/** The loss and every gradient of one step of CleanCLIP, as training takes it, against several kinds of modules. */
export function stepParts(name: string, config: ClipConfig, kinds: readonly Modules[]): Promise<Part[]> {
  return inFolder((folder) =>
    torch.tidy(() => {
      const clip = livelyClip(config, 3);
      const batch = drawnBatch(config, BATCH, 4);
      const options = resolve(trainOptions, { inmodal: true, inmodalWeight: 0.5 });
      const { clipWeight, inmodalWeight } = options;
      const input = { state_dict: clip.stateDict(), batches: [tensorsOf(batch)] };
      const theirs = kinds.map(
        (modules) => inPython(folder, { job: 'step', modules, config, clipWeight, inmodalWeight }, input) as Step,
      );

      let gradients: Tensors = {};
      const optimizer = makeOptimizer(clip, options);
      optimizer.step = () => {
        gradients = Object.fromEntries(
          clip.namedParameters().map(([key, parameter]) => [key, torch.keep(parameter.grad!.clone())]),
        );
      };
      const { loss } = trainStep(clip, optimizer, batch, lossWeights(options))();

      const exact = theirs[kinds.indexOf('float64')]?.gradients;
      const parts = kinds.flatMap((modules, i): Part[] => {
        const python = theirs[i];
        const compared = `${name}; ${modulesName[modules]}`;
        const cases = Object.keys(gradients).length;
        if (modules === 'float64') {
          const [here, there] = [gradients, theirs[kinds.indexOf('plain')].gradients].map(
            (each) => differenceByName(each, exact).difference,
          );
          return [
            {
              part: `error of the gradients against float64, as a share of the error of plain modules, ${name}`,
              cases,
              measured: here / there,
              limit: 1.5,
            },
          ];
        }
        const { difference, largest } = differenceByName(gradients, python.gradients);
        return [
          {
            part: `loss, ${compared}`,
            cases: 1,
            measured: Math.abs(loss - python.loss.item()) / Math.abs(loss),
            limit: 1e-6,
          },
          {
            part: `gradients, ${compared}`,
            cases,
            measured: difference / largest,
            limit: 1e-6,
            ...(modules !== 'in order' && { note: NEARER, explained: true }),
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
    eachOf(['RN50', 'ViT-B/32'], (name) =>
      stepParts(name, configs[name], against === 'torch' ? ['in order', 'plain', 'float64'] : ['reference']),
    ),
};
