import { metricsOf, retrievalMetrics } from '../../src/evaluation/retrieval_metrics';
import { Random } from '../../src/random';
import { type Tensor, torch } from '../../src/torch';

const randn = (shape: number[], seed: number): Tensor => torch.randn(shape, { generator: new torch.Generator(seed) });
const rowsOf = (tensor: Tensor): number[][] => tensor.to('float64').toArray() as number[][];

/** Similarities in float64, each pair of rows by itself. */
const similarities = (a: number[][], b: number[][]): number[][] =>
  a.map((x) => b.map((y) => x.reduce((sum, value, i) => sum + value * y[i], 0)));

/** The definition: the rank of the best own candidate is the number of those before it; equal ones are in order. */
function recall(scores: number[][], own: number[][], k: number): number {
  const found = scores.filter((row, query) => {
    const best = own[query].reduce((a, b) => (row[b] > row[a] ? b : a));
    return row.filter((score, i) => score > row[best] || (score === row[best] && i < best)).length < k;
  });
  return (100 * found.length) / scores.length;
}

/** Recall by the definition. */
function expected(images: Tensor, texts: Tensor, owner: number[]): Record<string, number> {
  const scores = similarities(rowsOf(images), rowsOf(texts));
  const captions = scores.map((_, image) => owner.flatMap((own, text) => (own === image ? [text] : [])));
  const back = owner.map((_, text) => scores.map((row) => row[text]));
  const [txt, img] = [
    [1, 5, 10].map((k) => recall(scores, captions, k)),
    [1, 5, 10].map((k) =>
      recall(
        back,
        owner.map((image) => [image]),
        k,
      ),
    ),
  ];
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value) / values.length;
  return {
    ...{ txt_r1: txt[0], txt_r5: txt[1], txt_r10: txt[2], txt_r_mean: mean(txt) },
    ...{ img_r1: img[0], img_r5: img[1], img_r10: img[2], img_r_mean: mean(img) },
    r_mean: (mean(txt) + mean(img)) / 2,
  };
}

/** Features of images and of 1 to 6 captions for each, somewhat alike, in a mixed order. */
function someFeatures(seed: number, count: number, width: number): { images: Tensor; texts: Tensor; owner: number[] } {
  const random = new Random(seed);
  const owner = Array.from({ length: count }, (_, image) => Array<number>(1 + random.int(6)).fill(image)).flat();
  random.shuffle(owner);
  const images = randn([count, width], seed);
  const texts = randn([owner.length, width], seed + 1).add(
    images.index_select(0, torch.tensor(owner, { dtype: 'int64' })).mul(0.35),
  );
  return { images, texts, owner };
}

test.each([1, 2, 3, 4])('equals the definition in float64 with 1 to 6 captions an image, seed %d', (seed) => {
  const { images, texts, owner } = someFeatures(seed, 150, 24);
  const metrics = retrievalMetrics({ imageEmbeds: images, textEmbeds: texts, imageOfText: owner });
  expect(metrics).toEqual(expected(images, texts, owner));
  expect(metrics.txt_r1).toBeGreaterThan(2);
  expect(metrics.img_r10).toBeLessThan(98);
});

test('takes the first of equal similarities first, also when rounding hides that they differ', () => {
  const { images, texts, owner } = someFeatures(5, 80, 16);
  const twice = torch.cat([texts, texts.index_select(0, torch.arange(40, { dtype: 'int64' }))]);
  const near = torch.cat([twice, texts.mul(1 + 2 ** -23)]);
  const owners = [...owner, ...owner.slice(0, 40).map((image) => (image + 1) % 80), ...owner.map((i) => (i + 7) % 80)];
  const same = torch.cat([images.narrow(0, 0, 40), images.narrow(0, 0, 40)]);
  expect(retrievalMetrics({ imageEmbeds: same, textEmbeds: near, imageOfText: owners })).toEqual(
    expected(same, near, owners),
  );
});

test('a model that gives every image and caption the same features finds the first', () => {
  const same = torch.ones([300, 8]);
  const metrics = retrievalMetrics({ imageEmbeds: same, textEmbeds: same });
  const tenth = { r1: 100 / 300, r5: 500 / 300, r10: 1000 / 300 };
  for (const side of ['txt', 'img'] as const)
    for (const k of ['r1', 'r5', 'r10'] as const) expect(metrics[`${side}_${k}`]).toBeCloseTo(tenth[k], 12);
});

test.each([
  ['float64', 1000],
  ['bfloat16', 1000],
  ['float32', 32], // several blocks
] as const)('works in %s, in blocks of %d images', (dtype, block) => {
  const { images, texts, owner } = someFeatures(6, 90, 8);
  const [imageEmbeds, textEmbeds] = [images.to(dtype), texts.to(dtype)];
  expect(metricsOf({ imageEmbeds, textEmbeds, imageOfText: owner }, { images: block, texts: 2 * block })).toEqual(
    expected(imageEmbeds, textEmbeds, owner),
  );
});

test('returns the text recall of the Python code too', () => {
  const features = randn([20, 4], 7);
  const imageOfText = Array.from({ length: 100 }, (_, i) => Math.floor(i / 5));
  const given = { imageEmbeds: features, textEmbeds: randn([100, 4], 8), imageOfText };
  const { reference_txt_r1, reference_txt_r5, reference_txt_r10, ...metrics } = retrievalMetrics({
    ...given,
    compat: 'reference',
  });
  expect(metrics).toEqual(retrievalMetrics(given));
  expect(reference_txt_r1).toBeCloseTo(80 + metrics.txt_r1 / 5, 10);
  expect(reference_txt_r5).toBeCloseTo(80 + metrics.txt_r5 / 5, 10);
  expect(reference_txt_r10).toBeCloseTo(80 + metrics.txt_r10 / 5, 10);
});

test.each([
  [{ textEmbeds: torch.ones([3, 5]) }, 'imageEmbeds and textEmbeds must have one width, but have 4 and 5.'],
  [{ textEmbeds: torch.ones([4]) }, 'textEmbeds must be a floating-point tensor [N, D] of features, but is'],
  [{ imageEmbeds: torch.ones([0, 4]) }, 'imageEmbeds has no rows: expected the features of at least one.'],
  [{ imageEmbeds: torch.full([3, 4], NaN) }, 'imageEmbeds has values that are not finite; measure another checkpoint.'],
  [{ textEmbeds: torch.ones([6, 4]) }, "imageOfText is needed, the index of each caption's image, for there are 3"],
  [{ imageOfText: [0, 1] }, 'imageOfText must have an index for each of the 3 captions, but has 2.'],
  [{ imageOfText: [0, 1, 3] }, 'imageOfText[2] must be an integer from 0 to 2, but is 3.'],
  [{ imageOfText: [0, 2, 2] }, 'Image 1 has no caption in imageOfText; leave out images without captions.'],
])('refuses features that do not fit: %#', (wrong, message) => {
  const given = { imageEmbeds: torch.ones([3, 4]), textEmbeds: torch.ones([3, 4]), ...wrong };
  expect(() => retrievalMetrics(given)).toThrow(message);
});
