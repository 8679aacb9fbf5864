import { loadClip } from '../../src/clip/model';
import { type Tensor, torch } from '../../src/torch';

const LENGTH = 17;
const HEADS = 2;

/** A text tower of two blocks: the first computes every token, by native/clip/attention.cc; its MLP adds nothing. */
function tower(precision: 'fp32' | 'bf16') {
  const clip = loadClip(
    {
      ...{ embedDim: 128, imageSize: 32, visionLayers: 1, visionWidth: 64, visionPatchSize: 32 },
      ...{ contextLength: LENGTH, vocabularySize: 100, textWidth: 128, textHeads: HEADS, textLayers: 2 },
      activation: 'quick_gelu',
    },
    { seed: 1, precision },
  );
  const weights = clip.stateDict();
  torch.noGrad(() => {
    for (const block of [0, 1]) {
      for (const name of ['weight', 'bias']) weights[`transformer.resblocks.${block}.mlp.c_proj.${name}`].zero_();
      weights[`transformer.resblocks.${block}.attn.in_proj_weight`].mul_(8); // tokens differ in weight
    }
  });
  const ids = torch
    .arange(3 * LENGTH)
    .remainder(98)
    .view([3, LENGTH]);
  ids.select(1, LENGTH - 1).fill_(99);
  return { clip, weights, ids };
}

/** The same features by single operators, [3, 128]. */
function composed({ weights, ids }: ReturnType<typeof tower>): Tensor {
  const { aten } = torch.ops;
  const linear = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => aten.linear(x, weight, { bias });
  const norm = (x: Tensor, name: string): Tensor =>
    aten.layer_norm(x, [128], { weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] });
  const attended = (x: Tensor, attn: string): Tensor => {
    const heads = linear(x, weights[`${attn}.in_proj_weight`], weights[`${attn}.in_proj_bias`])
      .chunk(3, 2)
      .map((part) => part.unflatten(2, [HEADS, -1]).transpose(1, 2));
    const answers = torch.scaled_dot_product_attention(heads[0], heads[1], heads[2], { is_causal: true });
    const joined = answers.transpose(1, 2).flatten(2);
    return linear(joined, weights[`${attn}.out_proj.weight`], weights[`${attn}.out_proj.bias`]);
  };
  let x = weights['token_embedding.weight'].index([ids]).add(weights.positional_embedding);
  for (const block of [0, 1].map((i) => `transformer.resblocks.${i}`))
    x = x.add(attended(norm(x, `${block}.ln_1`), `${block}.attn`));
  return norm(x.select(1, LENGTH - 1), 'ln_final').matmul(weights.text_projection);
}

const error = (x: Tensor, exact: Tensor): number => x.to('float32').sub(exact).norm().item() / exact.norm().item();

test('attention in bf16, and its gradient, are as near to float32 as libtorch in bf16', () => {
  torch.tidy(() => {
    const model = tower('bf16');
    const leaf = model.weights['transformer.resblocks.0.attn.in_proj_weight'];
    const features = [
      composed(model),
      model.clip.encodeText(model.ids),
      torch.autocast({ dtype: 'bfloat16', device: 'cpu' }, () => composed(model)),
    ];
    const [exact, ours, theirs] = features;
    expect(error(ours, exact)).toBeGreaterThan(1e-5); // it does compute in bf16
    expect(error(ours, exact)).toBeLessThan(1.1 * error(theirs, exact));
    const gradients = features.map((feature) => torch.grad([feature.to('float32').square().sum()], [leaf])[0]!);
    expect(error(gradients[1], gradients[0])).toBeLessThan(1.1 * error(gradients[2], gradients[0]));
  });
});

test('in fp32 they are equal to the last bit or nearly so', () => {
  torch.tidy(() => {
    const model = tower('fp32');
    expect(error(model.clip.encodeText(model.ids), composed(model))).toBeLessThan(1e-6);
  });
});
