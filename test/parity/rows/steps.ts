import { join } from 'node:path';

import { type ClipConfig } from '../../../src/clip/config';
import { Clip } from '../../../src/clip/model';
import { configs } from '../../../src/clip/named';
import { resolve } from '../../../src/options/define';
import { type TrainOptions, trainOptions } from '../../../src/options/train';
import { checkpointContent, readCheckpoint } from '../../../src/run/checkpoint';
import { type Tensor, torch } from '../../../src/torch';
import type { AdamW } from '../../../src/torch/optim';
import { cosineSchedule } from '../../../src/torch/schedule';
import { makeOptimizer } from '../../../src/training/optimizer';
import { lossWeights, trainStep } from '../../../src/training/step';
import { livelyClip, tinyViT } from '../models';
import {
  drawnBatch,
  inFolder,
  inPython,
  type Modules,
  modulesName,
  OTHER_ORDER,
  type PairBatch,
  tensorsOf,
} from './clip';
import { differenceByName, eachOf, type Part, type Row } from './row';

const TOTAL = 20;
const recipe = (lr: number): TrainOptions =>
  resolve(trainOptions, { inmodal: true, inmodalWeight: 0.5, numWarmupSteps: 4, lr });
export const pretraining = recipe(5e-4);
const finetuning = recipe(1e-5);
const DIVIDED_NOISE =
  `${OTHER_ORDER} AdamW divides each gradient by its own size, so a weight whose gradient is rounding noise (a ` +
  `key's bias, which no ` +
  'softmax sees) takes whole steps of the learning rate in a direction that the noise decides. In the same order ' +
  'nothing differs.';
const models: [string, ClipConfig][] = [
  ['tiny ResNet', configs.tiny],
  ['tiny ViT', tinyViT],
];

interface Trained {
  losses: Tensor;
  state_dict: Record<string, Tensor>;
}

/** Steps of training here, from step `start` of the schedule on; gives their losses. */
function train(
  clip: Clip,
  optimizer: AdamW,
  batches: readonly PairBatch[],
  options: TrainOptions,
  start = 0,
): number[] {
  const learningRate = cosineSchedule(options.lr, options.numWarmupSteps, TOTAL);
  clip.train();
  return batches.map((batch, i) => {
    optimizer.lr = learningRate(start + i);
    return trainStep(clip, optimizer, batch, lossWeights(options))().loss;
  });
}

/** The same in Python; `files` may name a checkpoint to go on from, and one to save. */
function trainInPython(
  folder: string,
  config: ClipConfig,
  modules: Modules,
  options: TrainOptions,
  input: { batches: object[]; state_dict?: object },
  { start = 0, ...files }: { start?: number; checkpoint?: string; save?: string } = {},
): Trained {
  const { lr, weightDecay, clipWeight, inmodalWeight, numWarmupSteps: warmup } = options;
  return inPython(
    folder,
    {
      job: 'train',
      modules,
      config,
      lr,
      weightDecay,
      clipWeight,
      inmodalWeight,
      warmup,
      total: TOTAL,
      start,
      ...files,
    },
    input,
  ) as Trained;
}

const worst = (ours: number[], theirs: number[]): number =>
  Math.max(...ours.map((loss, i) => Math.abs(loss - theirs[i])));

/** A new model, its batches, and a folder for a test. */
function setting<T>(
  config: ClipConfig,
  seed: number,
  steps: number,
  use: (folder: string, clip: Clip, batches: PairBatch[]) => T,
): Promise<T> {
  return inFolder((folder) =>
    torch.tidy(() => {
      const clip = livelyClip(config, seed);
      const batches = Array.from({ length: steps }, (_, i) => drawnBatch(config, 8, 100 + i));
      try {
        return use(folder, clip, batches);
      } finally {
        clip.dispose();
      }
    }),
  );
}

/** The losses and the weights of 20 steps. */
export function twentySteps(
  name: string,
  config: ClipConfig,
  options: TrainOptions,
  kinds: readonly Modules[],
): Promise<Part[]> {
  return setting(config, 5, TOTAL, (folder, clip, batches) => {
    const input = { state_dict: clip.stateDict(), batches: batches.map(tensorsOf) };
    const theirs = kinds.map((modules) => trainInPython(folder, config, modules, options, input));
    const losses = train(clip, makeOptimizer(clip, options), batches, options);
    return kinds.flatMap((modules, i): Part[] => {
      const compared = `${name}, lr ${options.lr}; ${modulesName[modules]}`;
      const { difference, where } = differenceByName(clip.stateDict(), theirs[i].state_dict);
      const note = modules === 'in order' ? undefined : DIVIDED_NOISE;
      return [
        {
          part: `losses, ${compared}`,
          cases: TOTAL,
          measured: worst(losses, theirs[i].losses.toArray() as number[]),
          limit: 1e-5,
        },
        {
          part: `weights, ${compared}${difference > 0 ? `; most in ${where}` : ''}`,
          cases: Object.keys(theirs[i].state_dict).length,
          measured: difference,
          limit: 1e-5,
          note,
          explained: note !== undefined,
        },
      ];
    });
  });
}

/** A run that Python goes on with after 5 steps: 2 losses, so that the second shows the optimizer's state. */
export function continuedInPython(name: string, config: ClipConfig): Promise<Part> {
  return setting(config, 6, 7, (folder, clip, batches) => {
    const optimizer = makeOptimizer(clip, pretraining);
    train(clip, optimizer, batches.slice(0, 5), pretraining);
    const checkpoint = join(folder, 'here.pt');
    torch.save(checkpointContent('here', clip, optimizer, { epoch: 1, batch: 0, step: 5 }), checkpoint);
    const theirs = trainInPython(
      folder,
      config,
      'plain',
      pretraining,
      { batches: batches.slice(5).map(tensorsOf) },
      { start: 5, checkpoint },
    );
    const losses = train(clip, optimizer, batches.slice(5), pretraining, 5);
    return {
      part: `${name}, the next 2 losses`,
      cases: 2,
      measured: worst(losses, theirs.losses.toArray() as number[]),
      limit: 1e-6,
    };
  });
}

/** A run of Python that goes on here after 5 steps. */
export function continuedHere(name: string, config: ClipConfig): Promise<Part> {
  return setting(config, 7, 7, (folder, fresh, batches) => {
    const tensors = batches.map(tensorsOf);
    const checkpoint = join(folder, 'python.pt');
    trainInPython(
      folder,
      config,
      'plain',
      pretraining,
      { state_dict: fresh.stateDict(), batches: tensors.slice(0, 5) },
      { save: checkpoint },
    );
    const theirs = trainInPython(
      folder,
      config,
      'plain',
      pretraining,
      { batches: tensors.slice(5) },
      { start: 5, checkpoint },
    );
    const { stateDict, optimizer: state } = readCheckpoint(checkpoint);
    const clip = new Clip(config).loadStateDict(stateDict);
    const optimizer = makeOptimizer(clip, pretraining);
    optimizer.loadStateDict(state!);
    const losses = train(clip, optimizer, batches.slice(5), pretraining, 5);
    clip.dispose();
    return {
      part: `${name}, the next 2 losses`,
      cases: 2,
      measured: worst(losses, theirs.losses.toArray() as number[]),
      limit: 1e-6,
    };
  });
}

export const steps: Row = {
  name: 'steps',
  what: '20 optimizer steps of CleanCLIP from one checkpoint on the same batches, warm-up and cosine',
  reference: false,
  measure: () =>
    eachOf(models, async ([name, config]) => [
      ...(await twentySteps(name, config, pretraining, ['in order'])),
      ...(await twentySteps(name, config, finetuning, ['plain'])),
    ]),
};

export const checkpointHere: Row = {
  name: 'checkpoint-here',
  what:
    'a checkpoint from here, read in Python by torch.load(weights_only=True) and continued there with its ' +
    'optimizer',
  reference: false,
  measure: () => eachOf(models, async ([name, config]) => [await continuedInPython(name, config)]),
};

export const checkpointPython: Row = {
  name: 'checkpoint-python',
  what: 'a checkpoint from Python, continued here with its optimizer',
  reference: false,
  measure: () => eachOf(models, async ([name, config]) => [await continuedHere(name, config)]),
};
