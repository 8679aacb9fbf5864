import { optionError } from '../errors';
import { distinctNames, nameKey } from '../evaluation/names';
import { IMAGES_A_BATCH } from '../evaluation/scorer';
import { TopK } from '../evaluation/top_k';
import type { ZeroshotOptions } from '../options/embeddings';
import { type Tensor, torch } from '../torch';
import { readEmbeddings } from './file';

const KS = [1, 3, 5, 10];

/**
 * Measures zero-shot accuracy on stored embeddings of a labelled set. The metrics are those of the evaluation of the
 * model itself: `zeroshot_top<k>`, and where the file has triggered images `triggered_zeroshot_top<k>` and
 * `asr_top<k>`.
 * @returns the metrics by name, as fractions from 0 to 1
 * @throws CleanclipError `ERR_CHECKPOINT` or `ERR_DATA` for a file that cannot be used; `ERR_OPTION` for a k that is
 * more than the classes
 */
export async function runZeroshot({ embeddings, k = KS }: ZeroshotOptions): Promise<Record<string, number>> {
  const { tensors, metadata } = readEmbeddings(
    embeddings!,
    ['labels'],
    'make it with cleanclip embed --eval_test_data_dir',
  );
  const count = tensors.text_embeddings.shape[0];
  const { names, places } = distinctNames(metadata.classes ?? Array.from({ length: count }, (_, i) => String(i)));
  const most = Math.max(...k);
  if (k !== KS && most > names.length)
    throw optionError(`--k must be at most ${names.length}, the number of classes, but is ${most}.`);
  const labels = Array.from(tensors.labels!.data() as BigInt64Array, (label) => places[Number(label)]);
  const classes = rowsOf(
    tensors.text_embeddings,
    names.map((_, i) => places.indexOf(i)),
  );
  const share = (name: string, images: Tensor, wanted: readonly number[]): Record<string, number> =>
    countTop(images, classes, wanted, k).shares(name);
  const clean = share('zeroshot', tensors.image_embeddings, labels);
  const { triggered_image_embeddings: triggered } = tensors;
  if (triggered === undefined || metadata.label === undefined) return clean;

  const target = names.findIndex((name) => nameKey(name) === nameKey(metadata.label!));
  const others = labels.flatMap((label, i) => (label === target ? [] : [i]));
  const attacked = rowsOf(triggered, others);
  return {
    ...clean,
    ...share(
      'triggered_zeroshot',
      attacked,
      others.map((i) => labels[i]),
    ),
    ...share(
      'asr',
      attacked,
      others.map(() => target),
    ),
  };
}

const rowsOf = (tensor: Tensor, rows: readonly number[]): Tensor =>
  tensor.index_select(0, torch.tensor(rows, { dtype: 'int64' }));

/** Counts how often the wanted class is among the first k. */
function countTop(images: Tensor, classes: Tensor, wanted: readonly number[], ks: readonly number[]): TopK {
  const counts = new TopK(ks);
  for (let start = 0; start < wanted.length; start += IMAGES_A_BATCH) {
    const some = wanted.slice(start, start + IMAGES_A_BATCH);
    torch.tidy(() => counts.add(images.narrow(0, start, some.length).mm(classes.t()), some));
  }
  return counts;
}
