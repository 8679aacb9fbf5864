import { resolve } from 'node:path';

import sharp from 'sharp';

import { dataError } from '../errors';
import { writeFileWhole } from '../files';

/** The forms in which a picture is written. */
export type Form = 'svg' | 'png' | 'csv';

/** Returns the files that `--output` names, by their form: one, or all three. */
export function outputsOf(output: string): Partial<Record<Form, string>> {
  const [, form] = /\.(svg|png|csv)$/i.exec(output) ?? [];
  if (form !== undefined) return { [form.toLowerCase()]: resolve(output) };
  return Object.fromEntries((['svg', 'png', 'csv'] as const).map((each) => [each, resolve(`${output}.${each}`)]));
}

/** Writes a figure as SVG, and as a PNG of twice its size. */
export async function writeFigure(svg: string, files: Partial<Record<Form, string>>): Promise<void> {
  if (files.svg !== undefined) writeFileWhole(files.svg, svg);
  if (files.png === undefined) return;
  let png: Buffer;
  try {
    png = await sharp(Buffer.from(svg), { density: 144, limitInputPixels: 2 ** 28 })
      .flatten({ background: 'white' })
      .png({ palette: true })
      .toBuffer();
  } catch (error) {
    throw dataError(`The picture cannot be drawn as a PNG (${(error as Error).message}); write it as .svg.`, error);
  }
  writeFileWhole(files.png, png);
}
