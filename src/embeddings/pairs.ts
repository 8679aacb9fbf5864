import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { encode } from '../classify/classifier';
import type { Clip } from '../clip/model';
import { badRowWarnings, type PairTable, readPairs, refuseBadRows } from '../data/pairs';
import { CleanclipError, dataError } from '../errors';
import { eachBatch } from '../evaluation/embed_pairs';
import { unit } from '../evaluation/zeroshot';
import { compatOf } from '../options/compat';
import type { BatchOptions, PairTableOptions } from '../options/slices';
import type { JobHooks } from '../progress';
import { tokenIds } from '../text/tokenizer';
import { type Tensor, torch } from '../torch';
import type { EmbeddingsTensors } from './file';
import { warnTo } from './model';

/** Options of {@link embedCaptionedImages}. */
export type PairsOptions = PairTableOptions & BatchOptions;

/** The embeddings of the pairs of a csv. */
export interface PairEmbeddings {
  tensors: EmbeddingsTensors;
  /** paths of the images as the csv names them */
  images: string[];
}

/**
 * Embeds the pairs of a csv. Rows that name the same image share its embedding: with five captions an image, each image
 * is decoded and encoded once. Rows whose image cannot be read are left out with a warning, or refused with `strict`.
 * The embeddings are in memory until they are written: 4·D bytes for each caption and 8·D for each image.
 * @throws CleanclipError `ERR_DATA` when the csv or an image cannot be used; `ERR_ABORTED` by the signal
 */
export async function embedCaptionedImages(
  clip: Clip,
  file: string,
  options: PairsOptions,
  hooks: JobHooks,
): Promise<PairEmbeddings> {
  const table = await readPairs(file, options, hooks);
  if (options.strict) refuseBadRows(table.badRows, file);
  for (const warning of badRowWarnings(table.badRows, file)) warnTo(hooks)(warning);
  const { firsts, images } = distinctImages(table);
  const { raw, rows, place } = await embedImages(clip, table, firsts, options, hooks);
  const read = Array.from(images.keys()).filter((row) => place[images[row]] >= 0); // rows whose image was read
  const texts = read.flatMap((row) => table.captions(row).map((_, index) => ({ row, index })));
  const captions = await embedCaptions(clip, table, texts, options, hooks);
  const kept = texts.map(({ row }) => row);
  return torch.tidy(() => {
    const poisoned = Uint8Array.from(kept, (row) => Number(table.isBackdoor(row)));
    const tensors: EmbeddingsTensors = {
      image_embeddings: unit(raw),
      un_image_embeddings: raw,
      text_embeddings: captions,
      image_rows: torch.tensor(rows, { dtype: 'int64' }),
      image_of_text: torch.tensor(
        kept.map((row) => place[images[row]]),
        { dtype: 'int64' },
      ),
      text_rows: torch.tensor(kept, { dtype: 'int64' }),
      ...(poisoned.includes(1) && { is_backdoor: torch.tensor(poisoned) }),
    };
    for (const tensor of Object.values(tensors) as Tensor[]) torch.keep(tensor);
    return { tensors, images: Array.from(rows, (row) => table.imageField(row)) };
  });
}

/** Finds the first row of each image, and the index among them of the image of each row. */
function distinctImages(table: PairTable): { firsts: Int32Array; images: Int32Array } {
  const found = new Map<string, number>();
  const firsts: number[] = [];
  const images = Int32Array.from({ length: table.length }, (_, row) => {
    const path = table.imageField(row);
    const image = found.get(path) ?? firsts.push(row) - 1;
    found.set(path, image);
    return image;
  });
  return { firsts: Int32Array.from(firsts), images };
}

/**
 * Embeds the images of some rows.
 * @returns float32 [M, D] on the CPU, the rows of these M images, and the place among them of each given row, or −1
 */
async function embedImages(
  clip: Clip,
  table: PairTable,
  firsts: Int32Array,
  options: PairsOptions,
  { onProgress, signal, ...hooks }: JobHooks,
): Promise<{ raw: Tensor; rows: Int32Array; place: Int32Array }> {
  const raw = torch.empty([firsts.length, clip.config.embedDim]);
  const rows: number[] = [];
  const bad = await eachBatch(clip, table, firsts, options, signal, (batch, some) => {
    raw.narrow(0, rows.length, some.length).copy_(encode(clip, batch.pixels));
    rows.push(...some);
    onProgress?.({ type: 'progress', done: rows.length, total: firsts.length, text: 'images embedded' });
  });
  if (rows.length === 0) throw dataError(`No image can be read. The first is row ${bad[0].row + 1}: ${bad[0].reason}`);
  if (bad.length > 0)
    warnTo({ onProgress, ...hooks })(
      `${bad.length} of ${firsts.length} images are left out, for they cannot be read. The first is row ` +
        `${bad[0].row + 1}: ${bad[0].reason}`,
    );
  const placeOf = new Map(rows.map((row, i) => [row, i]));
  return {
    raw: raw.narrow(0, 0, rows.length),
    rows: Int32Array.from(rows),
    place: firsts.map((row) => placeOf.get(row) ?? -1),
  };
}

/** Embeds captions, each by its row and its index among those of the row: unit length, float32 [N, D] on the CPU. */
async function embedCaptions(
  clip: Clip,
  table: PairTable,
  texts: { row: number; index: number }[],
  options: PairsOptions,
  { onProgress, signal }: JobHooks,
): Promise<Tensor> {
  const { embedDim, contextLength } = clip.config;
  const compat = compatOf(options).cutsEndToken;
  const embeds = torch.empty([texts.length, embedDim]);
  for (let start = 0; start < texts.length; start += options.batchSize) {
    const captions = texts.slice(start, start + options.batchSize).map(({ row, index }) => table.captions(row)[index]);
    const ids = tokenIds(captions, contextLength, { compat });
    torch.tidy(() =>
      torch.noGrad(() => {
        const onDevice = torch.tensor(ids, { shape: [captions.length, contextLength] }).to({ device: clip.device });
        embeds.narrow(0, start, captions.length).copy_(unit(clip.encodeText(onDevice).to('float32')));
      }),
    );
    await yieldToEvents(); // the signal arrives as an event
    if (signal?.aborted) throw new CleanclipError('Embedding was stopped.', 'ERR_ABORTED');
    const done = start + captions.length;
    onProgress?.({ type: 'progress', done, total: texts.length, text: 'captions embedded' });
  }
  return embeds;
}
