import type { Layers } from './layers';

/** Options that the blocks of a transformer share. */
export interface BlockOptions {
  width: number;
  heads: number;
  layers: number;
  activation: 'quick_gelu' | 'gelu';
  /** name of the mask that is added to the scores of attention */
  mask?: string;
}

/** Adds pre-norm blocks: [B, length, width] -> the same shape. */
export function transformer(layers: Layers, prefix: string, x: string, options: BlockOptions): string {
  for (let layer = 0; layer < options.layers; layer++) x = block(layers, `${prefix}.resblocks.${layer}`, x, options);
  return x;
}

function block(layers: Layers, name: string, x: string, options: BlockOptions): string {
  const { graph } = layers;
  const scaled = (y: string, scale: string): string =>
    layers.has(`${name}.${scale}.gamma`) ? graph.add('Mul', [y, layers.weight(`${name}.${scale}.gamma`)]) : y;
  const attended = selfAttention(layers, `${name}.attn`, layers.layerNorm(x, `${name}.ln_1`), options);
  const y = graph.add('Add', [x, scaled(attended, 'ls_1')]);
  const hidden = layers.activation(
    layers.linear(layers.layerNorm(y, `${name}.ln_2`), `${name}.mlp.c_fc`),
    options.activation,
  );
  return graph.add('Add', [y, scaled(layers.linear(hidden, `${name}.mlp.c_proj`), 'ls_2')]);
}

function selfAttention(layers: Layers, name: string, x: string, options: BlockOptions): string {
  const qkv = layers.linear(x, name, { weight: `${name}.in_proj_weight`, bias: `${name}.in_proj_bias` });
  const [q, k, v] = layers.graph.split('Split', [qkv], 3, { axis: -1 });
  return layers.linear(layers.attention(q, k, v, options), `${name}.out_proj`);
}
