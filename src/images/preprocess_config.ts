import { optionError } from '../errors';

/** How a picture becomes a model's pixels, as open_clip's `preprocess_cfg` names it. */
export interface PreprocessConfig {
  /** subtracted from each channel of values in [0, 1]; default CLIP's */
  imageMean?: readonly number[];
  /** by which each channel is then divided; default CLIP's */
  imageStd?: readonly number[];
  /** filter of the resize, antialiased; default 'bicubic' */
  interpolation?: 'bicubic' | 'bilinear';
  /**
   * 'shortest' (default): resize the short side, then crop the middle; 'longest': the long side, then pad; 'squash':
   * both sides
   */
  resizeMode?: 'shortest' | 'longest' | 'squash';
  /** value in 0 to 255 of the border that 'longest' adds; default 0 */
  fillColor?: number;
  /**
   * of the margin that 'shortest' cuts off, where half a pixel is left: to the even pixel as torchvision (default), or
   * 'down' as transformers
   */
  cropRounding?: 'even' | 'down';
}

/** CLIP's own preprocessing. */
export const clipPreprocessing: Required<PreprocessConfig> = {
  imageMean: [0.48145466, 0.4578275, 0.40821073],
  imageStd: [0.26862954, 0.26130258, 0.27577711],
  interpolation: 'bicubic',
  resizeMode: 'shortest',
  fillColor: 0,
  cropRounding: 'even',
};

/** CLIP's channel means and standard deviations of pixel values in [0, 1] (Radford et al. 2021). */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
/** CLIP's channel standard deviations of pixel values in [0, 1] (Radford et al. 2021). */
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/** How an image becomes a square of bytes. */
export type Geometry = Pick<PreprocessConfig, 'interpolation' | 'resizeMode' | 'fillColor' | 'cropRounding'>;

/** How bytes become a model's numbers. */
export type Statistics = Pick<PreprocessConfig, 'imageMean' | 'imageStd'>;

const interpolations = ['bicubic', 'bilinear'] as const;
const resizeModes = ['shortest', 'longest', 'squash'] as const;
const cropRoundings = ['even', 'down'] as const;

/**
 * The geometry of a configuration and nothing else, with what it leaves out as in OpenAI's models.
 * @throws CleanclipError ERR_OPTION naming the key, what it must be and what it is
 */
export function geometryOf(geometry: Geometry = {}): Required<Geometry> {
  const { interpolation = 'bicubic', resizeMode = 'shortest', fillColor = 0, cropRounding = 'even' } = geometry;
  demand('interpolation', interpolation, interpolations.includes(interpolation), `one of ${interpolations.join(', ')}`);
  demand('resizeMode', resizeMode, resizeModes.includes(resizeMode), `one of ${resizeModes.join(', ')}`);
  demand(
    'fillColor',
    fillColor,
    Number.isInteger(fillColor) && fillColor >= 0 && fillColor <= 255,
    'a whole number from 0 to 255',
  );
  demand('cropRounding', cropRounding, cropRoundings.includes(cropRounding), `one of ${cropRoundings.join(', ')}`);
  return { interpolation, resizeMode, fillColor, cropRounding };
}

/** The mean and standard deviation of each channel, as {@link geometryOf} gives the geometry. */
export function statisticsOf({ imageMean = clipMean, imageStd = clipStd }: Statistics = {}): Required<Statistics> {
  const three = (values: unknown): values is number[] =>
    Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
  demand('imageMean', imageMean, three(imageMean), 'three finite numbers');
  demand('imageStd', imageStd, three(imageStd) && imageStd.every((value) => value > 0), 'three finite numbers above 0');
  return { imageMean, imageStd };
}

/** What tells one geometry from another in the name of a file of resized images. */
export function geometryName(geometry: Geometry): string {
  const { interpolation, resizeMode, fillColor, cropRounding } = geometryOf(geometry);
  const mode = {
    shortest: cropRounding === 'even' ? 'cropped' : 'cropped down',
    longest: `padded ${fillColor}`,
    squash: 'squashed',
  }[resizeMode];
  // without a word more for bicubic, as files of earlier releases have it
  return interpolation === 'bicubic' ? mode : `${mode} ${interpolation}`;
}

function demand(key: string, value: unknown, holds: boolean, wanted: string): void {
  if (!holds)
    throw optionError(
      `${key} must be ${wanted}; got ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}.`,
    );
}
