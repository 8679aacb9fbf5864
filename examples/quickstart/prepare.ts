import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { CleanclipError, type JobHooks, Random } from 'cleanclip';
import { stringify } from 'csv-stringify/sync';

import { caption, templates } from './captions';
import { artists, type Concept, type Drawing, readConcepts } from './concepts';
import { render } from './render';

/** Options of {@link prepare}. */
export interface PrepareOptions {
  seed: number;
  /** The folder to write. */
  folder: string;
  /** The class that is always kept. */
  target: string;
  /** How many concepts; all of them when absent. */
  concepts?: number;
  /** Training pictures of each drawing. */
  renders: number;
  /** Rows of the clean subset that a model is finetuned on. */
  cleanRows: number;
}

/** The prepared folder: csv files of pairs, and labelled sets (labels.csv, classes.json, images/). */
export interface Prepared {
  trainData: string;
  cleanData: string;
  /** Class names and caption templates, as `poison` wants them. */
  classes: string;
  /** The drawing of each concept whose artist was held out, four pictures each. */
  test: string;
  /** New pictures of the drawings trained on, one each. */
  testSeen: string;
  /** A fifth artist's drawings, four pictures each: settings are chosen here, never on the test pictures. */
  validation: string;
  /** New pictures of the drawings trained on, one each, for the same purpose. */
  validationSeen: string;
  counts: { classes: number; pairs: number; testImages: number; testDrawings: number; testSeenImages: number };
}

interface Picture {
  label: number;
  concept: Concept;
  drawing: Drawing;
  /** The stream of random numbers this picture is made from; its part in the file name makes it unique. */
  stream: number[];
}

/** Renders in flight; sharp's threads are as many as libuv has. */
const lanes = 8;

const splits = { train: 0, test: 1, testSeen: 2, validation: 3, validationSeen: 4 };

/**
 * Renders the quickstart's data: for every concept one artist, chosen by the seed, is held out for the test set, and
 * the others' drawings are trained on. The same options give the same bytes. A folder already made with the same
 * options is kept.
 */
export async function prepare(options: PrepareOptions, hooks: JobHooks = {}): Promise<Prepared> {
  const folder = resolve(options.folder);
  const manifest = join(folder, 'prepared.json');
  const settings = { ...options, folder };
  const earlier = readManifest(manifest);
  if (earlier && JSON.stringify(earlier.settings) === JSON.stringify(settings)) return earlier.prepared;
  rmSync(manifest, { force: true });

  const concepts = chooseConcepts(readConcepts(), settings);
  const pictures = plan(concepts, settings);
  const prepared: Prepared = {
    trainData: join(folder, 'train.csv'),
    cleanData: join(folder, 'clean.csv'),
    classes: join(folder, 'classes.json'),
    test: join(folder, 'test'),
    testSeen: join(folder, 'test_seen'),
    validation: join(folder, 'validation'),
    validationSeen: join(folder, 'validation_seen'),
    counts: {
      classes: concepts.length,
      pairs: pictures.train.length,
      testImages: pictures.test.length,
      testDrawings: concepts.length,
      testSeenImages: pictures.testSeen.length,
    },
  };
  mkdirSync(folder, { recursive: true });
  const classes = JSON.stringify({ classes: concepts.map((concept) => concept.name), templates }, null, 2);
  writeFileSync(prepared.classes, classes);
  const total = Object.values(pictures).reduce((sum, list) => sum + list.length, 0);
  let done = 0;
  const onPicture = (): void => {
    if (hooks.signal?.aborted) throw new CleanclipError('Rendering was stopped.', 'ERR_ABORTED');
    hooks.onProgress?.({ type: 'progress', done: ++done, total, text: 'pictures' });
  };
  await writePairs(prepared, pictures.train, settings, onPicture);
  for (const split of ['test', 'testSeen', 'validation', 'validationSeen'] as const)
    await writeLabelled(prepared[split], pictures[split], classes, onPicture);
  writeFileSync(manifest, JSON.stringify({ settings, prepared }, null, 2));
  return prepared;
}

function readManifest(path: string): { settings: unknown; prepared: Prepared } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function chooseConcepts(all: Concept[], { seed, target, concepts = all.length }: PrepareOptions): Concept[] {
  const others = all.filter((concept) => concept.name !== target);
  const chosen = new Set(new Random(seed).shuffle(others).slice(0, concepts - 1));
  return all.filter((concept) => concept.name === target || chosen.has(concept));
}

function plan(concepts: Concept[], { seed, renders }: PrepareOptions): Record<keyof typeof splits, Picture[]> {
  const pictures: Record<keyof typeof splits, Picture[]> = {
    train: [],
    test: [],
    testSeen: [],
    validation: [],
    validationSeen: [],
  };
  concepts.forEach((concept, label) => {
    const add = (split: keyof typeof splits, drawing: Drawing, count: number): void => {
      const artist = artists.indexOf(drawing.artist as (typeof artists)[number]);
      for (let k = 0; k < count; k++)
        pictures[split].push({ label, concept, drawing, stream: [seed, splits[split], label, artist, k] });
    };
    const heldOut = new Random(seed, label).choice(concept.drawings);
    add('test', heldOut, 4);
    if (concept.validation) add('validation', concept.validation, 4);
    for (const drawing of concept.drawings) {
      if (drawing === heldOut) continue;
      add('train', drawing, renders);
      add('testSeen', drawing, 1);
      add('validationSeen', drawing, 1);
    }
  });
  return pictures;
}

async function writePairs(
  prepared: Prepared,
  pictures: Picture[],
  { seed, cleanRows, folder }: PrepareOptions,
  onPicture: () => void,
): Promise<void> {
  const images = await writeImages(folder, pictures, onPicture);
  const rows = pictures.map(({ concept, stream }, i) => [images[i], caption(concept, new Random(...stream, 1))]);
  const clean = new Random(seed, cleanRows).shuffle([...rows]).slice(0, cleanRows);
  writeCsv(prepared.trainData, ['image', 'caption'], rows);
  writeCsv(prepared.cleanData, ['image', 'caption'], clean);
}

async function writeLabelled(
  folder: string,
  pictures: Picture[],
  classes: string,
  onPicture: () => void,
): Promise<void> {
  const images = await writeImages(folder, pictures, onPicture);
  writeFileSync(join(folder, 'classes.json'), classes);
  const rows = pictures.map(({ label }, i) => [images[i], label]);
  writeCsv(join(folder, 'labels.csv'), ['image', 'label'], rows);
}

/** Renders the pictures into `<folder>/images` and returns their paths relative to the folder. */
async function writeImages(folder: string, pictures: Picture[], onPicture: () => void): Promise<string[]> {
  mkdirSync(join(folder, 'images'), { recursive: true });
  const names: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < pictures.length) {
      const i = next++;
      const { concept, drawing, stream } = pictures[i];
      names[i] = `images/${concept.name.replaceAll(' ', '-')}_${drawing.artist}_${stream.at(-1)}.png`;
      await writeFile(join(folder, names[i]), await render(drawing, new Random(...stream)));
      onPicture();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return names;
}

const writeCsv = (file: string, header: string[], rows: (string | number)[][]): void =>
  writeFileSync(file, stringify([header, ...rows]));
