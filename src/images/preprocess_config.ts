import { optionError } from '../errors';
import { anInteger, isInteger } from '../integers';

/** How an image becomes the input of a model; open_clip calls it `preprocess_cfg`. */
export interface PreprocessConfig {
  /** mean of each channel, for values in [0, 1]; default [0.48145466, 0.4578275, 0.40821073] (CLIP) */
  imageMean?: readonly number[];
  /** standard deviation of each channel, above 0; default [0.26862954, 0.26130258, 0.27577711] (CLIP) */
  imageStd?: readonly number[];
  /** filter of the resize, antialiased; default 'bicubic' */
  interpolation?: 'bicubic' | 'bilinear';
  /**
   * 'shortest' (default): resize the short side, then crop the centre; 'longest': resize the long side, then pad;
   * 'squash': resize both sides
   */
  resizeMode?: 'shortest' | 'longest' | 'squash';
  /** value of the padding that 'longest' adds, an integer from 0 to 255; default 0 */
  fillColor?: number;
  /**
   * how 'shortest' rounds a margin of half a pixel: 'even' (default) to the even pixel, as torchvision does; 'down' as
   * transformers does
   */
  cropRounding?: 'even' | 'down';
}

/** The preprocessing of OpenAI's CLIP. */
export const clipPreprocessing: Required<PreprocessConfig> = {
  imageMean: [0.48145466, 0.4578275, 0.40821073],
  imageStd: [0.26862954, 0.26130258, 0.27577711],
  interpolation: 'bicubic',
  resizeMode: 'shortest',
  fillColor: 0,
  cropRounding: 'even',
};

/** CLIP's channel means of pixel values in [0, 1] (Radford et al. 2021). */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
/** CLIP's channel standard deviations of pixel values in [0, 1] (Radford et al. 2021). */
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/** The part of {@link PreprocessConfig} that {@link resizeCrop} uses. */
export type Geometry = Pick<PreprocessConfig, 'interpolation' | 'resizeMode' | 'fillColor' | 'cropRounding'>;

/** The part of {@link PreprocessConfig} that {@link normalize} uses. */
export type Statistics = Pick<PreprocessConfig, 'imageMean' | 'imageStd'>;

const interpolations = ['bicubic', 'bilinear'] as const;
const resizeModes = ['shortest', 'longest', 'squash'] as const;
const cropRoundings = ['even', 'down'] as const;

/**
 * Picks the geometry from a configuration and fills in OpenAI's defaults.
 * @throws CleanclipError ERR_OPTION: a value is invalid; the message names its key
 */
export function geometryOf(geometry: Geometry = {}): Required<Geometry> {
  const { interpolation = 'bicubic', resizeMode = 'shortest', fillColor = 0, cropRounding = 'even' } = geometry;
  demand('interpolation', interpolation, interpolations.includes(interpolation), `one of ${interpolations.join(', ')}`);
  demand('resizeMode', resizeMode, resizeModes.includes(resizeMode), `one of ${resizeModes.join(', ')}`);
  demand('fillColor', fillColor, isInteger(fillColor, 0, 255), anInteger(0, 255));
  demand('cropRounding', cropRounding, cropRoundings.includes(cropRounding), `one of ${cropRoundings.join(', ')}`);
  return { interpolation, resizeMode, fillColor, cropRounding };
}

/** Picks the mean and standard deviation of each channel, as {@link geometryOf} picks the geometry. */
export function statisticsOf({ imageMean = clipMean, imageStd = clipStd }: Statistics = {}): Required<Statistics> {
  const three = (values: unknown): values is number[] =>
    Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
  demand('imageMean', imageMean, three(imageMean), 'three finite numbers');
  demand('imageStd', imageStd, three(imageStd) && imageStd.every((value) => value > 0), 'three finite numbers above 0');
  return { imageMean, imageStd };
}

/** The part of a cache file's name that identifies the geometry of its images. */
export function geometryName(geometry: Geometry): string {
  const { interpolation, resizeMode, fillColor, cropRounding } = geometryOf(geometry);
  const mode = {
    shortest: cropRounding === 'even' ? 'cropped' : 'cropped down',
    longest: `padded ${fillColor}`,
    squash: 'squashed',
  }[resizeMode];
  // bicubic adds no word, so that the cache files of earlier releases are found
  return interpolation === 'bicubic' ? mode : `${mode} ${interpolation}`;
}

function demand(key: string, value: unknown, holds: boolean, wanted: string): void {
  if (!holds)
    throw optionError(
      `${key} must be ${wanted}; got ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}.`,
    );
}
