// Measures recall of retrieval beside the matrix product that it needs, on features of unit length.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';

const { torch, retrievalMetrics } = cleanclip;
const BLOCK = { images: 2048, texts: 8192 };

/** Unit-norm random features, [count, width], each in part that of its owner; in blocks, for memory is measured. */
function features(count, width, seed, owners) {
  const rows = torch.randn([count, width], { generator: new torch.Generator(seed) });
  for (let start = 0; start < count; start += BLOCK.texts)
    torch.tidy(() => {
      const part = rows.narrow(0, start, Math.min(BLOCK.texts, count - start));
      if (owners !== undefined) {
        const index = torch.tensor(owners.of.subarray(start, start + part.shape[0]), { dtype: 'int64' });
        part.add_(owners.images.index_select(0, index).mul_(0.2 * Math.sqrt(width)));
      }
      part.div_(torch.ops.aten.linalg_vector_norm(part, 2, [1], true));
    });
  return rows;
}

export function prepare({ images, texts, width }) {
  const imageEmbeds = features(images, width, 1);
  const imageOfText = Int32Array.from({ length: texts }, (_, text) => Math.floor((text * images) / texts));
  const textEmbeds = features(texts, width, 2, { images: imageEmbeds, of: imageOfText });
  const product = () => {
    for (let i = 0; i < images; i += BLOCK.images)
      for (let j = 0; j < texts; j += BLOCK.texts)
        torch.tidy(() => {
          const some = textEmbeds.narrow(0, j, Math.min(BLOCK.texts, texts - j));
          imageEmbeds.narrow(0, i, Math.min(BLOCK.images, images - i)).mm(some.t());
        });
  };
  const seconds = (work) => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  };
  return () => {
    const alone = seconds(product);
    const taken = seconds(() => retrievalMetrics({ imageEmbeds, textEmbeds, imageOfText }));
    return {
      seconds: taken,
      share: taken / alone,
      bytes: process.resourceUsage().maxRSS * 1024,
      note: `${alone.toFixed(1)} s for the product alone`,
    };
  };
}
