import { totalmem } from 'node:os';

import { optionError } from '../errors';
import { anInteger, isInteger } from '../integers';
import { show } from '../show';
import { type ClipConfig, type CompleteConfig, completeConfig } from './config';
import { weightCount } from './weight_count';

/** The largest values accepted; those of real models are far smaller. */
const MOST = {
  imageSize: 16_384,
  visionPatchSize: 16_384,
  layers: 1_000,
  features: 65_536,
  contextLength: 65_536,
  vocabularySize: 16_777_216,
  mlpRatio: 64,
};

const isSize = (value: unknown, most: number): value is number => isInteger(value, 1, most);
const upTo = (most: number): string => anInteger(1, most);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const sizes = {
  embedDim: MOST.features,
  imageSize: MOST.imageSize,
  visionWidth: MOST.features,
  contextLength: MOST.contextLength,
  vocabularySize: MOST.vocabularySize,
  textWidth: MOST.features,
  textHeads: MOST.features,
  textLayers: MOST.layers,
} as const;

const choices = {
  activation: ['quick_gelu', 'gelu'],
  visionPool: ['tok', 'avg'],
  textPool: ['argmax', 'eos', 'first', 'last'],
  interpolation: ['bicubic', 'bilinear'],
  resizeMode: ['shortest', 'longest', 'squash'],
  cropRounding: ['even', 'down'],
} as const;

const switches = [
  'visionLayerScale',
  'textLayerScale',
  'visionPreNorm',
  'visionNormAfterPool',
  'textCausal',
  'textProjectionBias',
  'logitBias',
] as const;

/** Fields that only a VisionTransformer uses, and the values that a ResNet's configuration may have for them. */
const transformerOnly = {
  visionMlpRatio: 4,
  visionLayerScale: false,
  visionPreNorm: true,
  visionPool: 'tok',
  visionNormAfterPool: true,
} as const;

type Demand = (key: keyof ClipConfig, holds: boolean, wanted: string) => void;

/**
 * Checks that a CLIP can be built from a configuration, and completes it.
 * @returns the configuration with the default of every field that it leaves out; unknown fields are dropped
 * @throws CleanclipError `ERR_OPTION` naming the key, what it must be and what it is; also when the weights alone would
 * not fit into the memory of the machine
 */
export function checkConfig(config: ClipConfig): CompleteConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw optionError(`The model configuration must be an object of sizes, but it is ${show(config)}.`);
  }
  const demand: Demand = (key, holds, wanted) => {
    if (!holds)
      throw optionError(`The model configuration's ${key} must be ${wanted}, but it is ${show(config[key])}.`);
  };
  for (const [key, most] of Object.entries(sizes))
    demand(key as keyof typeof sizes, isSize(config[key as keyof typeof sizes], most), upTo(most));
  checkVision(config, demand);
  checkText(config, demand);
  checkPreprocessing(config, demand);
  for (const [key, allowed] of Object.entries(choices) as [keyof typeof choices, readonly string[]][]) {
    const value = config[key];
    demand(key, value === undefined || allowed.includes(value), `one of ${allowed.join(', ')}`);
  }
  for (const key of switches)
    demand(key, config[key] === undefined || typeof config[key] === 'boolean', 'true or false');
  const complete = completeConfig(config);
  checkMemory(complete);
  return complete;
}

function checkVision(config: ClipConfig, demand: Demand): void {
  const { visionLayers: layers, visionPatchSize: patch, imageSize, visionWidth: width, visionHeads: heads } = config;
  const depth = (value: unknown): boolean => isSize(value, MOST.layers);
  if (patch === undefined) {
    demand(
      'visionLayers',
      Array.isArray(layers) && layers.length === 4 && layers.every(depth),
      `four numbers from 1 to ${MOST.layers} (or give visionPatchSize)`,
    );
    demand('visionWidth', width % 2 === 0 && width <= MOST.features / 32, `even and at most ${MOST.features / 32}`);
    demand('imageSize', imageSize % 32 === 0, 'a multiple of 32');
    for (const [key, value] of Object.entries(transformerOnly) as [keyof typeof transformerOnly, unknown][]) {
      demand(
        key,
        config[key] === undefined || config[key] === value,
        `left out for a ResNet, which has no such choice (or ${String(value)})`,
      );
    }
  } else {
    demand('visionLayers', depth(layers), `${upTo(MOST.layers)} (or leave out visionPatchSize)`);
    demand(
      'visionPatchSize',
      isSize(patch, MOST.visionPatchSize) && imageSize % patch === 0,
      `a divisor of imageSize, ${imageSize}`,
    );
    checkRatio('visionMlpRatio', width, config, demand);
  }
  const attending = patch === undefined ? 32 * width : width;
  if (heads === undefined) demand('visionWidth', attending % 64 === 0, 'a multiple of 64, or visionHeads be given');
  else
    demand(
      'visionHeads',
      isSize(heads, attending) && attending % heads === 0,
      `a divisor of the ${attending} features that attend`,
    );
}

function checkText(config: ClipConfig, demand: Demand): void {
  const { textWidth, textHeads, textEosId, vocabularySize } = config;
  demand('textHeads', textWidth % textHeads === 0, `a divisor of textWidth, ${textWidth}`);
  checkRatio('textMlpRatio', textWidth, config, demand);
  demand('textEosId', textEosId === undefined || isInteger(textEosId, 0), anInteger(0));
  if (config.textPool === 'eos')
    demand(
      'textEosId',
      (textEosId ?? 49407) < vocabularySize,
      `below vocabularySize, ${vocabularySize}, for textPool 'eos'`,
    );
}

function checkRatio(key: 'visionMlpRatio' | 'textMlpRatio', width: number, config: ClipConfig, demand: Demand): void {
  const ratio = config[key];
  demand(
    key,
    ratio === undefined || (isNumber(ratio) && ratio * width >= 1 && ratio <= MOST.mlpRatio),
    `a number up to ${MOST.mlpRatio} that gives each MLP at least one feature`,
  );
}

function checkPreprocessing(config: ClipConfig, demand: Demand): void {
  const three = (value: unknown, holds: (part: number) => boolean): boolean =>
    value === undefined ||
    (Array.isArray(value) && value.length === 3 && value.every((part) => isNumber(part) && holds(part)));
  demand(
    'imageMean',
    three(config.imageMean, () => true),
    'three numbers, one per channel',
  );
  demand(
    'imageStd',
    three(config.imageStd, (part) => part > 0),
    'three numbers above 0, one per channel',
  );
  const { fillColor } = config;
  demand('fillColor', fillColor === undefined || isInteger(fillColor, 0, 255), anInteger(0, 255));
}

/** Checks that the weights fit into memory. They are first made there as float32, whatever the device of the model. */
function checkMemory(config: CompleteConfig): void {
  const bytes = 4 * weightCount(config);
  if (bytes <= totalmem()) return;
  const gigabytes = (size: number): string => `${(size / 1e9).toFixed(1)} GB`;
  throw optionError(
    `A model of this configuration has ${gigabytes(bytes)} of weights, and this ` +
      `machine ${gigabytes(totalmem())} of memory; choose smaller sizes or a larger machine.`,
  );
}
