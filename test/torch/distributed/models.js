// Models, batches and training steps of the tests of data parallel training: the same for a rank and for one process
// alone.
const { configs } = require('../../../dist/clip/named');
const { loadClip, AdamW } = require('../../../dist');

const small = { embedDim: 32, contextLength: 8, vocabularySize: 50, textWidth: 64, textHeads: 2, textLayers: 2 };
const clips = {
  vit: { ...small, imageSize: 16, visionLayers: 2, visionWidth: 64, visionPatchSize: 8 },
  resnet: { ...configs.tiny, ...small, imageSize: 32, visionWidth: 8 },
};

/** Two layers; one is used twice, and one never. */
function uneven(torch, seed) {
  const generator = new torch.Generator(seed);
  const weight = () => torch.randn([4, 4], { generator, requiresGrad: true });
  const state = { twice: weight(), once: weight(), never: weight() };
  return {
    namedParameters: () => Object.entries(state),
    stateDict: () => ({ ...state }),
    forward: (x) => x.mm(state.twice).tanh().mm(state.once).mm(state.twice),
  };
}

const modelOf = (torch, name, seed) =>
  name === 'uneven' ? uneven(torch, seed) : loadClip(clips[name], { seed }).eval();

/** A batch of `size` rows for a step. */
function batchOf(torch, name, step, size) {
  const generator = new torch.Generator(1000 + step);
  if (name === 'uneven') return [torch.randn([size, 4], { generator })];
  const { imageSize, contextLength, vocabularySize } = clips[name];
  const ids = torch.randint(1, vocabularySize - 1, [size, contextLength], { generator });
  ids.select(1, contextLength - 1).fill_(vocabularySize - 1);
  return [ids, torch.randn([size, 3, imageSize, imageSize], { generator })];
}

/** A mean over rows, so that the mean over ranks is that of the joined batch. */
function lossOf(model, output) {
  if (output.imageEmbeds === undefined) return output.pow(2).mean();
  return output.imageEmbeds.mul(output.textEmbeds).sum([1]).mul(model.logitScale.exp()).mean();
}

/** An optimizer whose large eps keeps gradients that are zero but for rounding from becoming whole steps. */
const optimizerOf = (model, { lr = 1e-2, eps = 1e-3 } = {}) =>
  new AdamW([{ parameters: model.namedParameters().map(([, parameter]) => parameter), weightDecay: 0.1 }], { lr, eps });

const weightsOf = (model) =>
  Float32Array.from(model.namedParameters().flatMap(([, parameter]) => Array.from(parameter.data())));

module.exports = { clips, modelOf, batchOf, lossOf, optimizerOf, weightsOf };
