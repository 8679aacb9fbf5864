import { isDeepStrictEqual } from 'node:util';

import { CleanclipError, optionError } from '../errors';
import { show } from '../show';
import { checkConfig } from './check_config';
import { type ClipConfig, type CompleteConfig, completeConfig, mlpWidth } from './config';
import type { Stated } from './find_weights';
import { openFields, type Shapes, type Sizes, sizesOfShapes } from './infer';
import { configs } from './named';

/** The activation of the blocks' MLPs. */
export type Activation = CompleteConfig['activation'];

/** What a caller says of a model's architecture. */
export interface Hints {
  /** a configuration that the weights must fit, and how it was named */
  named?: Stated;
  /** the name means models of both activations: it does not tell */
  anyActivation?: boolean;
  /** in place of the named configuration's */
  activation?: Activation;
}

/** What a file says of its model's architecture. */
export interface Says {
  stated?: Stated;
  /** it is one of OpenAI's TorchScript archives */
  archive?: boolean;
}

/** A model's configuration, and in a sentence what of it nobody has said. */
export interface Known {
  config: CompleteConfig;
  assumed?: string;
}

/**
 * The configuration of the model that a state dict of these shapes, under OpenAI's names, belongs to. What shapes do
 * not tell is taken from what its file says, else from the caller's hints; without either it is assumed to be as in
 * OpenAI's models, and said to be so.
 * @param path of the file, for messages
 * @throws CleanclipError `ERR_CHECKPOINT` when it is no CLIP's, or not as the file or the caller says; `ERR_OPTION`
 * when these two contradict each other
 */
export function knownConfig(
  shapes: Shapes,
  path: string,
  { stated, archive = false }: Says,
  { named, anyActivation = false, activation }: Hints = {},
): Known {
  const sizes = sizesOfShapes(shapes);
  for (const source of [stated, named]) if (source !== undefined) checkSame(sizes, source, path);
  const activationOf = (source: Stated): { by: string; value: Activation } => ({
    by: source.by,
    value: source.config.activation ?? 'quick_gelu',
  });
  const said = [
    ...(stated === undefined ? [] : [activationOf(stated)]),
    ...(archive ? [{ by: "OpenAI's archive", value: 'quick_gelu' as const }] : []),
    ...(named === undefined || anyActivation || activation !== undefined ? [] : [activationOf(named)]),
    ...(activation === undefined ? [] : [{ by: '--activation', value: activation }]),
  ];
  const other = said.find(({ value }) => value !== said[0].value);
  if (other !== undefined) {
    throw optionError(
      `The activation of '${path}' is ${said[0].value} by ${said[0].by}, and ${other.value} by ${other.by}; ` +
        'leave out what is wrong.',
    );
  }
  const source = stated ?? named;
  const like = source?.config ?? Object.values(configs).find((config) => differenceOf(sizes, config) === undefined);
  const config = checked(
    {
      ...sizes,
      ...ratiosOf(source?.config),
      ...(source && Object.fromEntries(openFields.map((field) => [field, source.config[field]]))),
      ...headsOf(sizes, path, like),
      activation: said[0]?.value ?? 'quick_gelu',
    },
    path,
  );
  const told = { activation: said.length > 0, rest: source !== undefined || archive };
  return told.activation && told.rest ? { config } : { config, assumed: assumption(path, config, told) };
}

/** What is assumed of a model, in a sentence, and what to do when it is wrong. */
function assumption(
  path: string,
  { visionHeads, textHeads }: CompleteConfig,
  told: { activation: boolean; rest: boolean },
): string {
  const heads = `${visionHeads} and ${textHeads} heads`;
  const [unsaid, assumed] = told.activation
    ? ['heads, pooling and mask', heads]
    : told.rest
      ? ['activation', 'QuickGELU']
      : ['activation, heads, pooling and mask', `QuickGELU and ${heads}`];
  const remedy = told.activation
    ? 'With another model features are wrong: give its name, or a configuration with --model_name.'
    : "With another model, such as most of open_clip's, which have GELU, features are wrong: give --activation gelu " +
      "(in the API activation: 'gelu'), or its name.";
  return (
    `'${path}' does not say its model's ${unsaid}: ${told.rest ? 'that' : 'those'} of OpenAI's and CleanCLIP's ` +
    `models ${told.rest ? 'is' : 'are'} assumed, ${assumed}. ${remedy}`
  );
}

/** Ratios as they were given, which round down to the widths that are there. */
const ratiosOf = (config: ClipConfig | undefined): Partial<ClipConfig> => ({
  ...(config?.visionMlpRatio !== undefined && { visionMlpRatio: config.visionMlpRatio }),
  ...(config?.textMlpRatio !== undefined && { textMlpRatio: config.textMlpRatio }),
});

/** Heads of a model of the same sizes, else one for each 64 features. */
function headsOf(
  { visionWidth, visionPatchSize, textWidth }: Sizes,
  path: string,
  like: ClipConfig | undefined,
): Pick<ClipConfig, 'visionHeads' | 'textHeads'> {
  const usual = (width: number): number => {
    const heads = Math.max(1, Math.floor(width / 64));
    if (width % heads === 0) return heads;
    throw new CleanclipError(
      `'${path}' does not say how many heads its ${width} features have; give its name or a configuration with ` +
        '--model_name.',
      'ERR_CHECKPOINT',
    );
  };
  const attending = visionPatchSize === undefined ? 32 * visionWidth : visionWidth;
  return { visionHeads: like?.visionHeads ?? usual(attending), textHeads: like?.textHeads ?? usual(textWidth) };
}

function checkSame(sizes: Sizes, { config, by }: Stated, path: string): void {
  const difference = differenceOf(sizes, config);
  if (difference === undefined) return;
  const { key, own, other } = difference;
  throw new CleanclipError(
    `By ${by} the model's ${key} is ${show(other)}, but '${path}' has weights for ${show(own)}; give what ` +
      'belongs together.',
    'ERR_CHECKPOINT',
  );
}

/** The first size that differs. */
function differenceOf(sizes: Sizes, config: ClipConfig): { key: string; own: unknown; other: unknown } | undefined {
  const complete = completeConfig(config) as unknown as Record<string, unknown>;
  for (const [key, own] of Object.entries(sizes) as [keyof Sizes, unknown][]) {
    const other = complete[key];
    const width = key === 'visionMlpRatio' ? sizes.visionWidth : key === 'textMlpRatio' ? sizes.textWidth : undefined;
    const same =
      width === undefined
        ? isDeepStrictEqual(own, other)
        : mlpWidth(width, own as number) === mlpWidth(width, other as number);
    if (!same) return { key, own, other };
  }
  return undefined;
}

/** Weights of sizes that no model has are the file's fault. */
function checked(config: ClipConfig, path: string): CompleteConfig {
  try {
    return checkConfig(config);
  } catch (error) {
    throw new CleanclipError(
      `'${path}' holds no model that can be built: ${(error as Error).message}`,
      'ERR_CHECKPOINT',
    );
  }
}
