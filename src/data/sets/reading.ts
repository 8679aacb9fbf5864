import { dataError } from '../../errors';
import { readRegular } from '../../input_files';
import { isInteger } from '../../integers';

const LARGEST = 2 ** 30; // bytes of a file; SVHN's train images are 182 MB

/** The images and labels of a set. */
export interface LabelledImages {
  /** absolute path of each image, or its address inside a file of many */
  images: string[];
  /** index of the class of each image, from 0 */
  labels: Int32Array;
}

/** Collects the images of a set and checks their labels. */
export class ImageList {
  private readonly images: string[] = [];
  private readonly labels: number[] = [];

  /** @param classes number of classes */
  constructor(private readonly classes: number) {}

  /**
   * Appends an image.
   * @param label index of its class, from 0
   * @param file file that contains the label; for the message, like `place` and `number`
   * @param place what the file consists of, such as 'line' or 'record'
   * @param number which line or record it is
   * @throws CleanclipError ERR_DATA when no class has this label
   */
  add(image: string, label: number, file: string, place: string, number: number): void {
    if (!isInteger(label, 0, this.classes - 1)) {
      throw dataError(
        `${file}, ${place} ${number}: expected a label from 0 to ${this.classes - 1}, counted from 0, found ${label}.`,
      );
    }
    this.images.push(image);
    this.labels.push(label);
  }

  /** Returns the images that were added. Throws ERR_DATA when there is none. */
  finish(source: string): LabelledImages {
    if (this.images.length === 0) throw dataError(`${source} names no image: expected at least one.`);
    return { images: this.images, labels: Int32Array.from(this.labels) };
  }
}

/** Reads a whole file of at most 1 GiB. */
export const readBytes = (file: string): Buffer =>
  readRegular(file, { wanted: 'a part of the set', maxBytes: LARGEST });

/** Reads the lines of a text file that are not blank, each with its number from 1. */
export const readLines = (file: string): [line: string, number: number][] =>
  readBytes(file)
    .toString('utf8')
    .split('\n')
    .map((line, i): [string, number] => [line.trim(), i + 1])
    .filter(([line]) => line !== '');

/** Compares strings by their code points, as Python does. */
export const byCodePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Numbers names in the order of their code points, as Python sorts them.
 *
 * @param source file or folder that contains the names, for the message
 * @throws CleanclipError ERR_DATA unless the number of distinct names is `classes`
 */
export function rankNames(names: Iterable<string>, classes: number, source: string): Map<string, number> {
  const sorted = [...new Set(names)].sort(byCodePoints);
  if (sorted.length !== classes)
    throw dataError(`${source} names ${sorted.length} classes: expected all ${classes} of the set.`);
  return new Map(sorted.map((name, rank) => [name, rank]));
}
