// What ranks compute on a joined batch: the same for a rank, of its rows, and for one process alone, of all.
const { loadClip } = require('../../../dist');
const { batchOf, clips, modelOf, optimizerOf } = require('./models');

/** The rows of a rank in the joined batch. */
const rowsOf = (counts, rank) => ({
  start: counts.slice(0, rank).reduce((sum, count) => sum + count, 0),
  length: counts[rank],
});

/**
 * A ResNet in training. Its ReLUs get hardly anything but positive inputs: the gradient of one within rounding of zero
 * may pass in one process and stop in another, and no weights would agree after that.
 */
function trainingResnet(torch, options) {
  const clip = loadClip(clips.resnet, options).train();
  torch.noGrad(() => {
    for (const [name, parameter] of clip.namedParameters()) {
      if (/(bn\d|downsample\.1)\.weight/.test(name)) parameter.fill_(1);
      if (/(bn\d|downsample\.1)\.bias/.test(name)) parameter.fill_(3);
    }
  });
  return clip;
}

/**
 * A model to train, and its optimizer: one in eval, or (sync) a ResNet in training, whose gradients are a hundred times
 * as rounded.
 */
function trainingOf(torch, name, sync, seed) {
  const clip = sync ? trainingResnet(torch, { seed }) : modelOf(torch, name, seed);
  return { clip, optimizer: optimizerOf(clip, sync ? { lr: 1e-3, eps: 1e-2 } : { lr: 3e-3 }) };
}

/** Token ids and pixels of some of a step's pairs, followed by their augmented views. */
function pairsOf(torch, name, step, size, { start, length }) {
  const both = (tensor) => torch.cat([tensor.narrow(0, start, length), tensor.narrow(0, size + start, length)]);
  return batchOf(torch, name, step, 2 * size).map(both);
}

/** What the losses take, of a model's output for pairs and their augmented views. */
function featuresOf(model, output) {
  const [imageEmbeds, augmentedImageEmbeds] = output.imageEmbeds.chunk(2);
  const [textEmbeds, augmentedTextEmbeds] = output.textEmbeds.chunk(2);
  return {
    imageEmbeds,
    textEmbeds,
    augmentedImageEmbeds,
    augmentedTextEmbeds,
    logitScale: model.logitScale,
    inmodalWeight: 0.5,
  };
}

const flat = (tensors) => Float32Array.from(tensors.flatMap((tensor) => Array.from(tensor.data())));

const gradientsOf = (model) => flat(model.namedParameters().map(([, { grad }]) => grad));

/** The running statistics of batch norm. */
const statisticsOf = (model) =>
  flat(Object.entries(model.stateDict()).flatMap(([name, tensor]) => (/running_/.test(name) ? [tensor] : [])));

/**
 * Forward and backward of the image encoder on some rows of a batch of `size`: a row's features and gradients depend on
 * all rows.
 */
function imagePass(torch, clip, size, { start, length }) {
  const [ids, pixels] = batchOf(torch, 'resnet', 0, size).map((tensor) => tensor.narrow(0, start, length).clone());
  pixels.requiresGrad = true;
  const { imageEmbeds } = clip.forward(ids, pixels);
  const towards = torch
    .randn([size, imageEmbeds.shape[1]], { generator: new torch.Generator(7) })
    .narrow(0, start, length);
  imageEmbeds.mul(towards).sum().backward();
  const gradients = clip.namedParameters().flatMap(([name, { grad }]) => (name.startsWith('visual.') ? [grad] : []));
  return {
    features: flat([imageEmbeds.detach()]),
    pixels: flat([pixels.grad]),
    gradients: flat(gradients),
    statistics: statisticsOf(clip),
  };
}

module.exports = { rowsOf, trainingResnet, trainingOf, pairsOf, featuresOf, gradientsOf, statisticsOf, imagePass };
