import { loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';

// More values than two tiles of native/clip/quick_gelu.cc, and not a multiple of one.
const TEXTS = 33;
const HIDDEN = 1024;

/** A text tower of one block whose attention adds nothing: its feature is the MLP's, plus its input. */
function tower(precision: 'fp32' | 'bf16') {
  const clip = loadClip(
    {
      ...{ embedDim: 64, imageSize: 32, visionLayers: 1, visionWidth: 64, visionPatchSize: 32 },
      ...{ contextLength: 8, vocabularySize: 100, textWidth: 64, textHeads: 1, textLayers: 1, textMlpRatio: 16 },
      activation: 'quick_gelu',
    },
    { seed: 1, precision },
  );
  const block = (name: string): Tensor => clip.stateDict()[`transformer.resblocks.0.${name}`];
  torch.noGrad(() => {
    for (const name of ['attn.out_proj.weight', 'attn.out_proj.bias']) block(name).zero_();
    block('mlp.c_fc.weight').mul_(20); // the activation bends
  });
  const ids = torch.full([TEXTS, 8], 99, { dtype: 'int64' });
  ids.select(1, 0).copy_(torch.arange(TEXTS));
  return { clip, block, ids };
}

/** The same feature by single operators, [TEXTS, 64]. */
function composed({ clip, block, ids }: ReturnType<typeof tower>): Tensor {
  const { aten } = torch.ops;
  const weights = clip.stateDict();
  const norm = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => aten.layer_norm(x, [64], { weight, bias });
  const linear = (x: Tensor, name: string): Tensor =>
    aten.linear(x, block(`${name}.weight`), { bias: block(`${name}.bias`) });
  const embedded = weights['token_embedding.weight'].index([ids]).add(weights.positional_embedding);
  const x = embedded.select(1, 1); // the end token of each: its second
  const y = linear(norm(x, block('ln_2.weight'), block('ln_2.bias')), 'mlp.c_fc');
  const active = y.mul(torch.sigmoid(y.mul(1.702)));
  const out = norm(x.add(linear(active, 'mlp.c_proj')), weights['ln_final.weight'], weights['ln_final.bias']);
  return out.matmul(weights.text_projection);
}

const gradient = (feature: Tensor, weight: Tensor, createGraph = false): Tensor =>
  torch.grad([feature.square().sum()], [weight], { createGraph, retainGraph: true })[0]!;

test('QuickGELU and its gradient have the bits of the composed operators', () => {
  torch.tidy(() => {
    const model = tower('fp32');
    const weight = model.block('mlp.c_fc.weight');
    expect(weight.shape).toEqual([HIDDEN, 64]);
    const [ours, theirs] = [model.clip.encodeText(model.ids), composed(model)];
    expect(torch.equal(ours, theirs)).toBe(true);
    expect(torch.equal(gradient(ours, weight), gradient(theirs, weight))).toBe(true);
  });
});

test('it can be differentiated twice', () => {
  torch.tidy(() => {
    const model = tower('fp32');
    const weight = model.block('mlp.c_fc.weight');
    const [ours, theirs] = [model.clip.encodeText(model.ids), composed(model)].map((feature) =>
      gradient(gradient(feature, weight, true), weight),
    );
    expect(ours.sub(theirs).abs().max().item()).toBeLessThanOrEqual(1e-5 * theirs.abs().max().item());
  });
});

test('in bf16 it is about as near to float32 as the composed operators', () => {
  torch.tidy(() => {
    const model = tower('bf16');
    const weight = model.block('mlp.c_fc.weight');
    const exact = composed(model);
    const [ours, theirs] = [
      model.clip.encodeText(model.ids).to('float32'),
      torch.autocast({ dtype: 'bfloat16', device: 'cpu' }, () => composed(model)).to('float32'),
    ];
    const error = (x: Tensor, y: Tensor): number => x.sub(y).norm().item() / y.norm().item();
    expect(error(ours, exact)).toBeLessThan(1.2 * error(theirs, exact));
    const gradients = [exact, ours, theirs].map((feature) => gradient(feature, weight));
    expect(error(gradients[1], gradients[0])).toBeLessThan(1.2 * error(gradients[2], gradients[0]));
  });
});
