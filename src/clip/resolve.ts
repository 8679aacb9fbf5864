import { isDeepStrictEqual } from 'node:util';

import { CleanclipError, optionError } from '../errors';
import { show } from '../show';
import { checkConfig } from './check_config';
import { type ClipConfig, type CompleteConfig, completeConfig, mlpWidth } from './config';
import type { Stated } from './find_weights';
import { openFields, type Shapes, type Sizes, sizesOfShapes } from './infer';
import { configs } from './named';

/** The activation of the MLPs in the transformer blocks: 'quick_gelu' is x·σ(1.702x), 'gelu' is x·Φ(x). */
export type Activation = CompleteConfig['activation'];

/** What a caller says about the architecture of a model. */
export interface Hints {
  /** a configuration that the weights must fit, and a phrase that says where it comes from */
  named?: Stated;
  /** whether the name means models of both activations, so that it does not decide the activation; default false */
  anyActivation?: boolean;
  /** activation that replaces the one of the named configuration */
  activation?: Activation;
}

/** What a file says about the architecture of its model. */
export interface Says {
  stated?: Stated;
  /** whether it is one of OpenAI's TorchScript archives; default false */
  archive?: boolean;
}

/** The configuration of a model. `assumed` is a sentence that names the parts nobody has stated, if any. */
export interface Known {
  config: CompleteConfig;
  assumed?: string;
}

/**
 * Finds the configuration of the model that a state dict of these shapes, under OpenAI's names, belongs to. What shapes
 * do not tell comes from what the file says, else from the hints of the caller. Anything else is assumed to be as in
 * OpenAI's models, and `assumed` reports it.
 * @param path the file, for messages
 * @throws CleanclipError `ERR_CHECKPOINT` when the shapes do not belong to a CLIP, or differ from what the file or the
 * caller says; `ERR_OPTION` when these two contradict each other
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

/** Makes the sentence that says what is assumed about a model, and what to do when it is wrong. */
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

/** Returns the ratios as given; rounded down, they match the widths of the weights. */
const ratiosOf = (config: ClipConfig | undefined): Partial<ClipConfig> => ({
  ...(config?.visionMlpRatio !== undefined && { visionMlpRatio: config.visionMlpRatio }),
  ...(config?.textMlpRatio !== undefined && { textMlpRatio: config.textMlpRatio }),
});

/** Returns the heads of a model of the same sizes, else one per 64 features. */
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

/** Returns the first size that differs. */
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

/** Checks the configuration. Sizes that cannot be built are a fault of the file, so the error is `ERR_CHECKPOINT`. */
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
