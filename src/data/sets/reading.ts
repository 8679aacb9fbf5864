import { dataError } from '../../errors';
import { readRegular } from '../../input_files';

const LARGEST = 2 ** 30; // bytes of a file; SVHN's train images are 182 MB

/** Images of known class: `images[i]`, a path or a record's address, is of class `labels[i]`. */
export interface LabelledImages {
  images: string[];
  labels: Int32Array;
}

/** Collects the images of a set, and refuses labels that no class has. */
export class ImageList {
  private readonly images: string[] = [];
  private readonly labels: number[] = [];

  /** @param classes how many there are */
  constructor(private readonly classes: number) {}

  /**
   * @param label counted from 0
   * @param file where the label stands, and the line or record there, for the message
   */
  add(image: string, label: number, file: string, place: string, number: number): void {
    if (!Number.isInteger(label) || label < 0 || label >= this.classes) {
      throw dataError(
        `${file}, ${place} ${number}: expected a label from 0 to ${this.classes - 1}, counted from 0, found ${label}.`,
      );
    }
    this.images.push(image);
    this.labels.push(label);
  }

  /** The images that were added; throws ERR_DATA when there is none. */
  finish(source: string): LabelledImages {
    if (this.images.length === 0) throw dataError(`${source} names no image: expected at least one.`);
    return { images: this.images, labels: Int32Array.from(this.labels) };
  }
}

/** All of a file of at most 1 GiB. */
export const readBytes = (file: string): Buffer =>
  readRegular(file, { wanted: 'a part of the set', maxBytes: LARGEST });

/** The lines of a text file that say something, each with its number from 1. */
export const readLines = (file: string): [line: string, number: number][] =>
  readBytes(file)
    .toString('utf8')
    .split('\n')
    .map((line, i): [string, number] => [line.trim(), i + 1])
    .filter(([line]) => line !== '');

/** For sorting as Python does. */
export const byCodePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Numbers names in the order of their code points, as Python sorts them.
 *
 * @param source what names them, for the message
 * @throws CleanclipError ERR_DATA unless there is a name for each class
 */
export function rankNames(names: Iterable<string>, classes: number, source: string): Map<string, number> {
  const sorted = [...new Set(names)].sort(byCodePoints);
  if (sorted.length !== classes)
    throw dataError(`${source} names ${sorted.length} classes: expected all ${classes} of the set.`);
  return new Map(sorted.map((name, rank) => [name, rank]));
}
