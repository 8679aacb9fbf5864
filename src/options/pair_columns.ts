import { text } from './define';

/** The options that say where the image and the caption of a pair are, for every job that reads pairs. */
export const pairColumnOptions = {
  delimiter: text({ doc: 'what separates the columns of the csv', default: ',', unit: 'character' }),
  image_key: text({
    doc: 'column of the image paths, or of the images in a parquet; in tars their extension, if not any image',
    default: 'image',
    unit: 'column',
  }),
  caption_key: text({
    doc: 'column of the captions; in tars the field of the json, or the extension of a text, if not .txt',
    default: 'caption',
    unit: 'column',
  }),
  columns: text({
    doc: 'names of the columns of a csv without a header, in their order: caption,image',
    default: undefined,
    unit: 'names',
  }),
};
