import { integer, text, texts } from './define';

/** The arguments of `cleanclip report`. */
export const reportArguments = {
  runs: texts({ doc: 'the folders of the runs: logs/NAME, with params.txt and metrics.jsonl', unit: 'logs' }),
};

/** The flags of `cleanclip report`. */
export const reportFlags = {
  output: text({
    doc: 'the page to write; an earlier one is replaced',
    default: 'report.html',
    unit: 'file',
    short: 'o',
  }),
  title: text({ doc: 'heading of the page', default: undefined, unit: 'text', defaultText: 'the names of the runs' }),
  predictions: texts({
    doc:
      'csv files for contact sheets, with the columns image, class, triggered and one for each model; ' +
      'predictions/ of each run is taken too',
    unit: 'file',
  }),
  coordinates: texts({ doc: 'csv files of coordinates that cleanclip plot wrote, drawn as pictures', unit: 'file' }),
  max_images: integer({ doc: 'images that a contact sheet shows at most', default: 40, min: 1, unit: 'images' }),
};
