import { flag, integer, number, type OptionSpec, text } from './define';

/** Makes an option that takes a number of bytes; the command line also takes `20MB`. */
const byteCount = (spec: { doc: string; default: number }): OptionSpec<number> => ({
  ...number({ ...spec, whole: true, min: 1, unit: 'bytes' }),
  parse: (value) => {
    const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?)b?\s*$/i.exec(value) ?? [];
    return digits === undefined ? undefined : Math.round(Number(digits) * BYTES[unit.toLowerCase()]);
  },
});

const BYTES: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** The options of `cleanclip download`. */
export const downloadOptions = {
  file: text({
    doc: 'tsv of captions and URLs, such as GCC-training.tsv (CC3M) or cc12m.tsv (required)',
    default: undefined,
    unit: 'file',
    short: 'f',
  }),
  dir: text({
    doc: 'folder to write: images/ and train.csv (or shards/) and status.csv; a stopped run goes on there (required)',
    default: undefined,
    unit: 'folder',
    short: 'd',
  }),
  start: integer({ doc: 'first row to download, from 0', default: 0, unit: 'row', short: 's' }),
  end: integer({
    doc: 'row before which to stop',
    default: undefined,
    unit: 'row',
    defaultText: 'the last row of the file',
    short: 'e',
  }),
  columns: text({
    doc: 'names of the columns in their order: caption,url',
    default: undefined,
    unit: 'names',
    defaultText: 'as the header says, else found from the first rows',
  }),
  delimiter: text({ doc: 'what separates the columns of the file', default: '\\t', unit: 'character' }),
  size: integer({
    doc: 'short side of the stored images (bicubic), which are cropped to a square at their centre',
    default: 224,
    min: 1,
    max: 8192,
    unit: 'pixels',
  }),
  format: text({
    doc: 'how images are stored: png without loss, jpg of quality 95, or original as they came',
    default: 'png',
    choices: ['png', 'jpg', 'original'],
  }),
  shards: integer({
    doc: 'rows of the file in each tar: write the tars of a WebDataset, shards/00000.tar and so on, instead of images',
    default: undefined,
    min: 1,
    max: 100_000,
    unit: 'rows',
    defaultText: 'no tars',
  }),
  workers: integer({ doc: 'how many rows are downloaded at a time', default: 64, min: 1, max: 4096, unit: 'rows' }),
  per_host: integer({ doc: 'how many of them from one host', default: 4, min: 1, max: 4096, unit: 'rows' }),
  timeout: number({
    doc: 'how long one attempt may take from the first connection to the last byte',
    default: 10,
    above: 0,
    max: 86_400,
    unit: 'seconds',
  }),
  retries: integer({
    doc: 'how often a row is asked for again after 429, 5xx or a broken connection; never after a timeout',
    default: 2,
    max: 100,
    unit: 'times',
  }),
  redirects: integer({ doc: 'the most redirects to follow', default: 5, max: 50, unit: 'redirects' }),
  max_bytes: byteCount({ doc: 'the largest answer to take; the command line also takes 20MB', default: 20_000_000 }),
  max_pixels: integer({
    doc: 'the most pixels of an image (width times height)',
    default: 89_478_485,
    min: 1,
    max: 178_956_970,
    unit: 'pixels',
  }),
  user_agent: text({
    doc: 'the name that servers see',
    default: undefined,
    unit: 'text',
    defaultText: 'cleanclip/VERSION',
  }),
  allow_private: flag('also connect to private, loopback and link-local addresses: for mirrors of your own'),
  retry_failed: flag('ask again for the rows that have failed before'),
  compat: text({
    doc: "reference: name images by the CRC32 of their URL, as Python's script does; URLs with equal CRC32 share one",
    default: undefined,
    choices: ['reference'],
  }),
};
