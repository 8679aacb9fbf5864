import type { CompleteConfig } from '../../clip/config';
import type { Layers } from './layers';
import { transformer } from './transformer';

/** Adds the image tower: pixels [B, 3, S, S] -> features [B, embedDim]. */
export function imageTower(layers: Layers, pixels: string, config: CompleteConfig): string {
  return config.visionPatchSize === undefined
    ? resnet(layers, pixels, config)
    : visionTransformer(layers, pixels, config, config.visionPatchSize);
}

function visionTransformer(layers: Layers, pixels: string, c: CompleteConfig, patch: number): string {
  const { graph } = layers;
  const width = c.visionWidth;
  const conv = graph.add('Conv', [pixels, layers.weight('visual.conv1.weight')], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const patches = tokensOf(layers, conv, width);
  const batch = graph.add('Shape', [pixels], { start: 0, end: 1 });
  const shape = graph.add('Concat', [batch, graph.list(1), graph.list(width)], { axis: 0 });
  const classToken = graph.add('Expand', [layers.weight('visual.class_embedding'), shape]);
  let x = graph.add('Concat', [classToken, patches], { axis: 1 });
  x = graph.add('Add', [x, layers.weight('visual.positional_embedding')]);
  if (c.visionPreNorm) x = layers.layerNorm(x, 'visual.ln_pre');
  const { visionLayers, visionHeads: heads, activation } = c;
  x = transformer(layers, 'visual.transformer', x, { width, heads, layers: visionLayers as number, activation });
  const pooled = (y: string): string => {
    if (c.visionPool === 'tok') return graph.add('Gather', [y, graph.index(0)], { axis: 1 });
    const cells = graph.add('Slice', [y, graph.list(1), graph.list(Number.MAX_SAFE_INTEGER), graph.list(1)]);
    return graph.add('ReduceMean', [cells], { axes: [1], keepdims: 0 });
  };
  const norm = (y: string): string => layers.layerNorm(y, 'visual.ln_post');
  x = c.visionNormAfterPool ? norm(pooled(x)) : pooled(norm(x));
  return graph.add('MatMul', [x, layers.weight('visual.proj')]);
}

/** Adds a reshape of [B, width, h, w] -> [B, h·w, width]. */
function tokensOf({ graph }: Layers, x: string, width: number): string {
  return graph.add('Transpose', [graph.add('Reshape', [x, graph.list(0, width, -1)])], { perm: [0, 2, 1] });
}

/**
 * Adds the ResNet-D of CLIP. Average pooling replaces strides, and the mean of the feature map is the query of the
 * attention over its cells; see native/clip/resnet.h.
 */
function resnet(layers: Layers, pixels: string, c: CompleteConfig): string {
  const { graph } = layers;
  const relu = (y: string): string => graph.add('Relu', [y]);
  const average = (y: string): string => graph.add('AveragePool', [y], { kernel_shape: [2, 2], strides: [2, 2] });
  let x = relu(layers.convolution(pixels, 'visual.conv1', 'visual.bn1', { stride: 2, padding: 1 }));
  x = relu(layers.convolution(x, 'visual.conv2', 'visual.bn2', { padding: 1 }));
  x = average(relu(layers.convolution(x, 'visual.conv3', 'visual.bn3', { padding: 1 })));
  for (const [stage, blocks] of (c.visionLayers as number[]).entries()) {
    for (let block = 0; block < blocks; block++) {
      const name = `visual.layer${stage + 1}.${block}`;
      const pooled = stage > 0 && block === 0 ? average : (y: string): string => y;
      let y = relu(layers.convolution(x, `${name}.conv1`, `${name}.bn1`));
      y = relu(layers.convolution(y, `${name}.conv2`, `${name}.bn2`, { padding: 1 }));
      y = layers.convolution(pooled(y), `${name}.conv3`, `${name}.bn3`);
      const shortcut = layers.has(`${name}.downsample.0.weight`)
        ? layers.convolution(pooled(x), `${name}.downsample.0`, `${name}.downsample.1`)
        : x;
      x = relu(graph.add('Add', [y, shortcut]));
    }
  }
  return attentionPool(layers, x, 32 * c.visionWidth, c.visionHeads);
}

function attentionPool(layers: Layers, x: string, width: number, heads: number): string {
  const { graph } = layers;
  const name = 'visual.attnpool';
  const cells = tokensOf(layers, x, width);
  const mean = graph.add('ReduceMean', [cells], { axes: [1], keepdims: 1 });
  const tokens = graph.add('Add', [
    graph.add('Concat', [mean, cells], { axis: 1 }),
    layers.weight(`${name}.positional_embedding`),
  ]);
  const query = graph.add('Slice', [tokens, graph.list(0), graph.list(1), graph.list(1)]);
  const [q, k, v] = [
    layers.linear(query, `${name}.q_proj`),
    layers.linear(tokens, `${name}.k_proj`),
    layers.linear(tokens, `${name}.v_proj`),
  ];
  const features = layers.linear(layers.attention(q, k, v, { width, heads }), `${name}.c_proj`); // [B, 1, embedDim]
  return graph.add('Squeeze', [features, graph.list(1)]);
}
