import { dataError } from '../errors';

/**
 * Finds the augmented columns of a csv, `augmented_<imageKey>` and `augmented_<captionKey>`.
 * @param found the columns of the csv
 * @throws CleanclipError ERR_DATA when there is none
 */
export function augmentedColumns(
  found: readonly string[],
  imageKey: string,
  captionKey: string,
  file: string,
): { name: 'image' | 'caption'; index: number }[] {
  const all = [
    { name: 'image' as const, index: found.indexOf(`augmented_${imageKey}`) },
    { name: 'caption' as const, index: found.indexOf(`augmented_${captionKey}`) },
  ].filter(({ index }) => index >= 0);
  if (all.length > 0) return all;
  throw dataError(
    `${file} has neither a column "augmented_${imageKey}" nor "augmented_${captionKey}"; make them with cleanclip ` +
      'augment-image or augment-text, or leave out --augmented_columns.',
  );
}
