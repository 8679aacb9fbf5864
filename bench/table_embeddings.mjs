// The rows of the table about stored embeddings and retrieval.

/** @type {import('./table.mjs').Measurement[]} */
export const embeddingRows = [
  {
    id: 'embed',
    module: 'embed',
    args: { model: 'ViT-B/32', pairs: 512 },
    quick: { model: 'tiny', pairs: 64 },
    sides: ['node', 'open_clip'],
    repeats: 3,
    rows: [
      {
        title: '`embed` of 512 JPEGs of 500×375 and their captions, ViT-B/32, to the file',
        key: 'seconds',
        unit: 's',
        atLeast: { open_clip: 1.5 },
      },
    ],
  },
  {
    id: 'retrieval',
    module: 'retrieval',
    args: { images: 100_000, texts: 500_000, width: 512 },
    quick: { images: 4096, texts: 16_384 },
    sides: ['node'],
    repeats: 1,
    rows: [
      { title: '`retrievalMetrics` of 100,000 images × 500,000 captions of width 512', key: 'seconds', unit: 's' },
      { title: "that time, of the matrix product's alone", key: 'share', unit: 'share', limit: { atMost: 1.3 } },
      { title: 'its peak memory', key: 'bytes', unit: 'bytes', limit: { atMost: 3 * 2 ** 30 } },
    ],
  },
];
