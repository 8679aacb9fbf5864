import { type Tensor, torch } from '../../src/torch';

const unit = (rows: Tensor): Tensor => rows.div(torch.ops.aten.linalg_vector_norm(rows, 2, [-1], true));

/** Writes a file as `cleanclip embed` does for a labelled set, with triggered copies near the first class. */
export function writeSet(path: string, { rows = 120, classes = 6, width = 16, pull = 0.8, seed = 1 } = {}): void {
  torch.manualSeed(seed);
  const labels = torch.arange(rows).remainder(classes).to('int64');
  const centres = unit(torch.randn([classes, width]));
  const images = unit(centres.index_select(0, labels).add(torch.randn([rows, width]).mul(0.1)));
  const triggered = unit(images.mul(1 - pull).add(centres.slice(0, 0, 1).mul(pull)));
  const names = Array.from({ length: classes }, (_, i) => `class ${'abcdefgh'[i]}`);
  torch.save(
    {
      ...{ image_embeddings: images, un_image_embeddings: images.mul(3), text_embeddings: centres, labels },
      ...{ triggered_image_embeddings: triggered, image_rows: all(rows) },
    },
    path,
    { metadata: { classes: JSON.stringify(names), images: JSON.stringify(imageNames(rows)), checkpoint: 'a.pt' } },
  );
}

/** Writes a file as `cleanclip embed` does for pairs, of which the first are poisoned. */
export function writePairs(path: string, { rows = 90, poisoned = 10, width = 16 } = {}): void {
  torch.manualSeed(2);
  const images = torch.randn([rows, width]);
  images.slice(0, 0, poisoned).mul_(0.1).add_(2);
  const backdoor = torch.zeros([rows]).to('uint8');
  backdoor.slice(0, 0, poisoned).fill_(1);
  const unitImages = unit(images);
  torch.save(
    {
      ...{ image_embeddings: unitImages, un_image_embeddings: images, text_embeddings: unitImages.mul(1) },
      ...{ image_rows: all(rows), image_of_text: all(rows), text_rows: all(rows), is_backdoor: backdoor },
    },
    path,
    {
      metadata: { images: JSON.stringify(imageNames(rows)) },
    },
  );
}

const all = (rows: number): Tensor => torch.arange(rows).to('int64');

const imageNames = (rows: number): string[] => Array.from({ length: rows }, (_, i) => `images/${i}.png`);
