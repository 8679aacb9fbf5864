import { integer, text } from './define';

const csvOptions = {
  input: text({ doc: 'csv or tsv to read (required)', default: undefined, unit: 'file', short: 'i' }),
  output: text({
    doc: 'csv to write, with all columns and the augmented one (required); it may be the same file',
    default: undefined,
    unit: 'file',
    short: 'o',
  }),
  delimiter: text({ doc: 'what separates the columns of the csv', default: ',', unit: 'character' }),
  image_key: text({ doc: 'column of the image paths', default: 'image', unit: 'column' }),
};

const seed = integer({ doc: 'seed of every choice; a row gets the same with the same seed', default: 0, unit: 'seed' });

/** The options of `cleanclip augment-text`. */
export const augmentTextOptions = {
  ...csvOptions,
  caption_key: text({ doc: 'column of the captions', default: 'caption', unit: 'column' }),
  seed,
};

/** The options of `cleanclip augment-image`. */
export const augmentImageOptions = {
  ...csvOptions,
  size: integer({
    doc: 'also resize the augmented images (bicubic) to this short side and crop their centre',
    default: undefined,
    min: 1,
    max: 8192,
    unit: 'pixels',
    defaultText: 'they keep their size',
  }),
  format: text({
    doc: 'format of the augmented images: png without loss, or jpg of quality 95',
    default: 'png',
    choices: ['png', 'jpg'],
  }),
  seed,
};
