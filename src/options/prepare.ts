import { flag, integer, text } from './define';

/** The sets that `cleanclip prepare` knows, and what else it does. */
export const preparations = ['flickr30k', 'mscoco', 'sbucaptions', 'imagenet', 'relocate'] as const;

/** What `cleanclip prepare` makes of its input. */
export type Preparation = (typeof preparations)[number];

/** The argument of `cleanclip prepare`. */
export const prepareArguments = {
  set: text({
    doc: 'the set to prepare; relocate gives the image paths of a csv another folder',
    default: undefined,
    choices: preparations,
  }),
};

/** The flags of `cleanclip prepare`. */
export const prepareFlags = {
  input: text({
    doc:
      'dataset_flickr30k.json, dataset_coco.json, results.csv, a tar or a folder of tars, the ImageNet devkit, or ' +
      'the csv to relocate (required)',
    default: undefined,
    unit: 'path',
    short: 'i',
  }),
  images: text({
    doc: 'folder of the images; not for sbucaptions, whose tars have them',
    default: undefined,
    unit: 'folder',
  }),
  output: text({
    doc: 'csv to write, or for sbucaptions the folder',
    default: undefined,
    unit: 'path',
    defaultText: 'labels.csv in IMAGES for imagenet, else required',
    short: 'o',
  }),
  split: text({
    doc: "which of Karpathy's splits to take from the JSON; results.csv has none",
    default: 'test',
    choices: ['train', 'restval', 'val', 'test', 'all'],
  }),
  captions: integer({
    doc: 'the most captions per image, each in a row of its own',
    default: 5,
    min: 1,
    unit: 'captions',
  }),
  from: text({
    doc: 'for relocate: the folder that --images replaces at the beginning of each path',
    default: undefined,
    unit: 'folder',
    defaultText: 'the whole folder of each path',
  }),
  image_key: text({ doc: 'for relocate: column of the image paths', default: 'image', unit: 'column' }),
  delimiter: text({
    doc: 'for relocate: what separates the columns of the csv',
    default: ',',
    unit: 'character',
  }),
  allow_missing: flag('also write rows whose image is not there'),
};
