// Stage (b): features, loss and gradients of RN50 and ViT-B/32 in float32, on the device against the CPU, and against
// Python's torch on the same device. TF32 is off.
import { join } from 'node:path';

import { configs } from '../../dist/clip/named.js';
import cleanclip from '../../dist/index.js';
import { openPython } from './python_side.mjs';
import { check, device, folder, keep, must, rehearsal } from './stage.mjs';

const { torch } = cleanclip;
const pairs = rehearsal ? 2 : 16;
const small = rehearsal && { imageSize: 64, textLayers: 2 };
const models = {
  RN50: { ...configs.RN50, ...small, ...(rehearsal && { visionLayers: [1, 1, 1, 1] }) },
  'ViT-B/32': { ...configs['ViT-B/32'], ...small, ...(rehearsal && { visionLayers: 2 }) },
};

/** What may lie between two sides: the features and the loss relative to their size, the gradients by their norm. */
const limits = { images: 1e-4, texts: 1e-4, loss: 1e-4, gradients: 1e-2 };

const python = openPython();
keep({ pairs, limits });
torch.backends.cudnn.allowTf32 = false;
for (const [model, config] of Object.entries(models)) {
  const { input, ids, pixels } = drawn(config);
  const sides = { cpu: 'cpu', ...(device !== 'cpu' && { device }) };
  const answers = {};
  for (const [side, place] of Object.entries(sides))
    await check(`${model} computes on ${place}`, () => void (answers[side] = answerOf(input, place, ids, pixels)));
  const output = join(folder, 'output.pt');
  await check(`${model} computes in Python on ${device}`, async () => {
    await python.ask({ parity: { config, input, output } });
    answers.python = torch.load(output);
  });
  for (const other of Object.keys(answers).filter((side) => side !== 'device' && (answers.device || side !== 'cpu')))
    await check(`${model} on ${device} is as ${other === 'cpu' ? 'on the CPU' : "Python's"}`, () =>
      compare(answers.device ?? answers.cpu, answers[other]),
    );
  Object.values(answers).forEach(({ images, texts, gradients }) =>
    [images, texts, ...Object.values(gradients)].forEach((tensor) => tensor.dispose()),
  );
}
python.close();

/** Weights of which no branch is zero, in a file with a batch. */
function drawn(config) {
  const clip = cleanclip.loadClip(config, { seed: 1 });
  const generator = new torch.Generator(1);
  torch.noGrad(() => {
    for (const [name, tensor] of Object.entries(clip.stateDict())) {
      if (/bn3\.weight|running_var/.test(name)) tensor.uniform_(0.3, 0.7, { generator });
      if (/running_mean|(bn\d|ln_\w+|attn\.\w*)\.?bias/.test(name)) tensor.uniform_(-0.1, 0.1, { generator });
    }
  });
  const pixels = torch.randn([pairs, 3, config.imageSize, config.imageSize], { generator });
  const ids = cleanclip.tokenize(Array.from({ length: pairs }, (_, i) => `number ${i}${' and more'.repeat(i % 7)}`));
  const input = join(folder, 'input.pt');
  torch.save({ state_dict: clip.stateDict(), pixels, ids }, input);
  clip.dispose();
  return { input, ids, pixels };
}

/** On the CPU: features, loss, and the gradients of all parameters by name. */
function answerOf(input, place, ids, pixels) {
  const clip = cleanclip.loadClip(input, { device: place, activation: 'quick_gelu' }).train();
  const answer = torch.tidy(() => {
    const { imageEmbeds, textEmbeds } = clip.forward(ids, pixels.to(place));
    const loss = cleanclip.contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp());
    loss.backward();
    const here = (tensor) => torch.keep(tensor.detach().to('cpu').clone());
    const gradients = Object.fromEntries(clip.namedParameters().map(([name, { grad }]) => [name, here(grad)]));
    return { images: here(imageEmbeds), texts: here(textEmbeds), loss: loss.item(), gradients };
  });
  clip.dispose();
  return answer;
}

function compare(ours, theirs) {
  const apart = torch.tidy(() => {
    const largest = (tensor) => tensor.abs().max().item();
    const square = (tensor) => tensor.to('float64').square().sum().item();
    const names = Object.keys(ours.gradients);
    const sum = (of) => names.reduce((total, name) => total + of(name), 0);
    return {
      images: largest(ours.images.sub(theirs.images)) / largest(theirs.images),
      texts: largest(ours.texts.sub(theirs.texts)) / largest(theirs.texts),
      loss: Math.abs(ours.loss - theirs.loss) / theirs.loss,
      gradients: Math.sqrt(
        sum((name) => square(ours.gradients[name].sub(theirs.gradients[name]))) /
          sum((name) => square(theirs.gradients[name])),
      ),
    };
  });
  const over = Object.keys(limits).filter((part) => !(apart[part] <= limits[part]));
  must(over.length === 0, `${over.join(', ')} over the limit: ${JSON.stringify(apart)}`);
  return apart;
}
