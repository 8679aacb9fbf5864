// What the ranks of the tests do with rows of a joined batch, as in scenarios.js.
const { AdamW, lossOverRanks } = require('../../../dist');
const {
  rowsOf,
  trainingResnet,
  trainingOf,
  pairsOf,
  featuresOf,
  gradientsOf,
  statisticsOf,
  imagePass,
} = require('./joined');
const { batchOf, weightsOf } = require('./models');
const { refusal } = require('./refusal');

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** Rows that differ from rank to rank. */
const rowsOfRank = (torch, rank, counts) =>
  torch.randn([counts[rank], 2, 3], { generator: new torch.Generator(rank), requiresGrad: true });

module.exports = {
  /** A rank's rows seen by all, and their gradient where each rank weighs all rows in its own way. */
  gatherRows: ({ torch, distributed, rank }, counts, gradient) => {
    const own = rowsOfRank(torch, rank, counts);
    const all = distributed.allGatherRows(own.mul(2).transpose(1, 2), counts, gradient);
    all
      .mul(torch.randn(all.shape, { generator: new torch.Generator(100 + rank) }))
      .sum()
      .backward();
    return [all.detach().toArray(), own.grad.toArray()];
  },

  gatherIntegers: ({ torch, distributed, rank }, counts) =>
    distributed
      .allGatherRows(torch.full([counts[rank]], rank, { dtype: 'int64' }), counts, 'own')
      .toArray()
      .map(Number),

  gatherRefusals: async ({ torch, distributed, rank, worldSize }) => {
    const rows = torch.ones([2, 3]);
    const twos = Array(worldSize).fill(2);
    return [
      await refusal(() => distributed.allGatherRows(rows, [...twos, 2], 'own')),
      await refusal(() =>
        distributed.allGatherRows(
          rows,
          twos.map((_, one) => (one === rank ? 0 : 2)),
          'own',
        ),
      ),
      await refusal(() =>
        distributed.allGatherRows(
          rows,
          twos.map(() => 3),
          'own',
        ),
      ),
      await refusal(() => distributed.allGatherRows(rows, twos, 'some')),
      distributed.allGatherRows(rows, twos, 'own').shape,
    ];
  },

  absentFromGather: ({ torch, distributed, rank }) =>
    rank === 1 || distributed.allGatherRows(torch.ones([1]), [1, 1], 'all'),

  absentFromGatherBackward: ({ torch, distributed, rank }) => {
    const all = distributed.allGatherRows(torch.ones([1], { requiresGrad: true }), [1, 1], 'all');
    if (rank === 0) all.sum().backward();
  },

  /** Trains on this rank's pairs of each batch; the losses of each step are those that the rank reports. */
  trainJoined: async ({ torch, distributed, rank }, name, sync, options, steps, counts) => {
    const { clip, optimizer } = trainingOf(torch, name, sync, rank);
    if (sync) clip.syncBatchNorm();
    const parallel = await distributed.DistributedDataParallel.create(clip);
    const losses = [];
    let gradients;
    for (let step = 0; step < steps; step++) {
      const output = parallel.forward(...pairsOf(torch, name, step, sum(counts), rowsOf(counts, rank)));
      const { loss, contrastive, inmodal } = lossOverRanks(featuresOf(clip, output), { counts, ...options });
      parallel.backward(loss);
      losses.push([loss, contrastive, inmodal].map((one) => one.item()));
      gradients ??= gradientsOf(clip);
      optimizer.step();
      optimizer.zeroGrad();
    }
    parallel.dispose();
    return { gradients, weights: weightsOf(clip), statistics: statisticsOf(clip), losses };
  },

  /** The unlearning loss and the gradient of this rank's image features. */
  unlearn: ({ torch, rank }, counts, isBackdoor, options) => {
    const generator = new torch.Generator(9);
    const own = Array.from({ length: 2 }, () => {
      const all = torch.randn([sum(counts), 4], { generator });
      const { start, length } = rowsOf(counts, rank);
      return all.div(all.norm(2, [1], true)).narrow(0, start, length);
    });
    own[0].requiresGrad = true;
    const [imageEmbeds, textEmbeds] = own;
    const input = {
      imageEmbeds,
      textEmbeds,
      logitScale: torch.tensor(1),
      isBackdoor,
      target: 0.25,
      constraintWeight: 3,
    };
    const { loss } = lossOverRanks(input, { counts, ...options });
    loss.backward();
    return [loss.item(), imageEmbeds.grad.toArray()];
  },

  syncPass: ({ torch, rank }, counts, options) =>
    imagePass(torch, trainingResnet(torch, { seed: 0, ...options }).syncBatchNorm(), sum(counts), rowsOf(counts, rank)),

  /** Rank 1 does not take part: nothing here exchanges anything. */
  withoutSync: ({ torch, rank }) => {
    if (rank === 1) return undefined;
    const clip = trainingResnet(torch, { seed: 0 }).syncBatchNorm();
    const batch = batchOf(torch, 'resnet', 0, 2);
    const shapes = [
      clip.eval().forward(...batch),
      clip
        .train()
        .syncBatchNorm(false)
        .forward(...batch),
    ].map(({ imageEmbeds }) => imageEmbeds.shape);
    return shapes;
  },

  /** Batch norm's statistics before and after a pass that repeats another. */
  repeatedSync: ({ torch }) => {
    const clip = trainingResnet(torch, { seed: 0 }).syncBatchNorm();
    const before = statisticsOf(clip);
    torch.noGrad(() => clip.forward(...batchOf(torch, 'resnet', 0, 2), { repeated: true }));
    return [before, statisticsOf(clip)];
  },

  absentFromForward: ({ torch, rank }) => {
    const clip = trainingResnet(torch, { seed: 0 }).syncBatchNorm();
    if (rank === 0) clip.forward(...batchOf(torch, 'resnet', 0, 2));
  },

  /**
   * Two towers of one layer each, trained by CleanCLIP's loss on this rank's half of given inputs; for the comparison
   * with Python.
   */
  trainTowers: async ({ torch, distributed, rank }, { weights, batches, lr, eps, weightDecay }, options) => {
    const state = Object.fromEntries(
      Object.entries(weights).map(([name, values]) => [name, torch.tensor(values, { requiresGrad: true })]),
    );
    const unit = (x) => x.div(x.norm(2, [1], true));
    const towers = {
      namedParameters: () => Object.entries(state),
      stateDict: () => state,
      forward: ([images, texts, otherImages, otherTexts]) => ({
        imageEmbeds: unit(images.mm(state.image)),
        textEmbeds: unit(texts.mm(state.text)),
        augmentedImageEmbeds: unit(otherImages.mm(state.image)),
        augmentedTextEmbeds: unit(otherTexts.mm(state.text)),
      }),
    };
    const parallel = await distributed.DistributedDataParallel.create(towers);
    const optimizer = new AdamW([{ parameters: Object.values(state), weightDecay }], { lr, eps });
    for (const batch of batches) {
      const own = batch.map((values) => torch.tensor(values).chunk(2)[rank]);
      const counts = [own[0].shape[0], own[0].shape[0]];
      parallel.backward(
        lossOverRanks(
          { ...parallel.forward(own), logitScale: state.logit_scale, inmodalWeight: 0.5 },
          { counts, ...options },
        ).loss,
      );
      optimizer.step();
      optimizer.zeroGrad();
    }
    parallel.dispose();
    return Object.values(state).map((tensor) => tensor.detach().toArray());
  },

  absentFromQuietBackward: async ({ torch, distributed, rank }) => {
    const x = torch.ones([1], { requiresGrad: true });
    const line = { namedParameters: () => [['x', x]], stateDict: () => ({ x }), forward: (by) => x.mul(by) };
    const parallel = await distributed.DistributedDataParallel.create(line);
    const all = distributed.allGatherRows(torch.ones([1], { requiresGrad: true }), [1, 1], 'all');
    if (rank === 0) parallel.noSync(() => parallel.backward(all.sum()));
  },
};
