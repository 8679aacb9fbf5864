import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

import sharp from 'sharp';

import { readTable } from '../data/table';
import { dataError, shown } from '../errors';
import { readRegularAsync } from '../input_files';
import type { RunFolder } from '../run/folder';
import { Html, html, type Section } from './html';

const SHOWN = 128; // pixels of the longer side
const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'tiff'];

const right = html`<span role="img" aria-label="right">✓</span>`;
const wrong = html`<span role="img" aria-label="wrong">✗</span>`;

/** A picture with what models take it for. */
interface Predicted {
  /** path of the image */
  image: string;
  /** the csv that names it */
  file: string;
  class: string;
  triggered: boolean;
  /** prediction of each model, by its name */
  predictions: readonly (readonly [string, string])[];
}

/** Which files of predictions a page shows, and how much of each. */
export interface SheetOptions {
  /** csv files that the caller names */
  files: readonly string[];
  maxImages: number;
}

/**
 * Makes the section of images with their predictions, from csv files, and from predictions/ of each run. What
 * several runs take the same image for stands under one picture of it.
 * @throws CleanclipError `ERR_DATA` when a csv, or an image that it names, cannot be used
 */
export async function contactSection(
  runs: readonly RunFolder[],
  { files, maxImages }: SheetOptions,
): Promise<Section | undefined> {
  const own = runs.map(({ path }) => join(path, 'predictions', 'predictions.csv')).filter((file) => existsSync(file));
  const named = files.filter((file) => !own.includes(file));
  const tables = [await ofRuns(own), ...(await Promise.all(named.map(readPredictions)))];
  const sheets: Html[] = [];
  for (const rows of tables) if (rows.length > 0) sheets.push(await sheet(rows, maxImages));
  if (sheets.length === 0) return undefined;
  return {
    id: 'images',
    title: 'Images and predictions',
    body: html`<p>A tick stands after a right prediction, and a cross after a wrong one.</p>
      ${sheets}`,
  };
}

/** Reads the predictions of runs, and joins those of equal images. */
async function ofRuns(files: readonly string[]): Promise<Predicted[]> {
  const joined = new Map<string, Predicted>();
  for (const file of files) {
    const times = new Map<string, number>(); // how often the file has an image, of a class
    for (const row of await readPredictions(file)) {
      const content = createHash('sha256').update(await readImage(row));
      const facts = JSON.stringify([content.digest('hex'), row.class, row.triggered]);
      const time = (times.get(facts) ?? 0) + 1;
      times.set(facts, time);
      const key = `${facts} ${time}`;
      joined.set(key, { ...row, predictions: [...(joined.get(key)?.predictions ?? []), ...row.predictions] });
    }
  }
  return [...joined.values()];
}

async function sheet(rows: readonly Predicted[], maxImages: number): Promise<Html> {
  const parts = await Promise.all(
    [false, true].map(async (triggered) => {
      const all = rows.filter((row) => row.triggered === triggered);
      if (all.length === 0) return undefined;
      const cells: Html[] = [];
      for (const row of all.slice(0, maxImages)) cells.push(await cell(row));
      const of = all.length > maxImages ? ` (the first ${maxImages} of ${all.length})` : '';
      return html`<h3>${triggered ? 'Images with the trigger' : 'Clean images'}${of}</h3>
        <ul class="images">
          ${cells}
        </ul>`;
    }),
  );
  return html`${parts}`;
}

async function cell(row: Predicted): Promise<Html> {
  const { class: name, triggered, predictions } = row;
  const source = await picture(row);
  return html`<li>
    <img src="${new Html(source)}" alt="${name}${triggered && ' with the trigger'}" />
    <dl>
      <dt>class</dt>
      <dd>${name}</dd>
      ${predictions.map(
        ([model, prediction]) =>
          html`<dt>${model}</dt>
            <dd>${prediction} ${prediction === name ? right : wrong}</dd>`,
      )}
    </dl>
  </li> `;
}

const readImage = ({ image, file }: Predicted): Promise<Buffer> =>
  readRegularAsync(image, { wanted: `an image that '${shown(file)}' names`, maxBytes: 2 ** 26 });

async function picture(row: Predicted): Promise<string> {
  const bytes = await readImage(row);
  try {
    const read = sharp(bytes, { limitInputPixels: 2 ** 26 });
    const { format } = await read.metadata();
    if (!FORMATS.includes(format ?? '')) throw new Error(`it is ${format ?? 'of another format'}`);
    const small = read
      .resize(SHOWN, SHOWN, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' });
    return `data:image/png;base64,${(await small.png({ compressionLevel: 9 }).toBuffer()).toString('base64')}`;
  } catch (error) {
    const { message } = error as Error;
    throw dataError(
      `Expected a PNG, JPEG, WebP, GIF or TIFF in '${shown(row.image)}', but it cannot be shown: ${message}.`,
    );
  }
}

/** Reads a csv of predictions. Paths of images are relative to its folder. */
async function readPredictions(file: string): Promise<Predicted[]> {
  const { columns, rows, column } = await readTable(file, ['image', 'class', 'triggered']);
  const [image, label, triggered] = ['image', 'class', 'triggered'].map(column);
  const models = [...columns.keys()].filter((i) => ![image, label, triggered].includes(i));
  return rows.map((fields) => ({
    file,
    image: isAbsolute(fields[image]) ? fields[image] : join(dirname(file), fields[image]),
    class: fields[label],
    triggered: /^(1|true|yes)$/i.test(fields[triggered]),
    predictions: models.map((i) => [columns[i], fields[i]] as const),
  }));
}
