import type { CompleteConfig } from '../../clip/config';
import { torch } from '../../torch';
import type { Layers } from './layers';
import { transformer } from './transformer';

/** Adds the text tower: token ids int64 [B, L], L ≤ contextLength -> features [B, embedDim]. */
export function textTower(layers: Layers, ids: string, c: CompleteConfig): string {
  const { graph } = layers;
  const length = graph.add('Shape', [ids], { start: 1, end: 2 });
  const tokens = graph.add('Gather', [layers.weight('token_embedding.weight'), ids], { axis: 0 });
  const positions = graph.add('Slice', [layers.weight('positional_embedding'), graph.list(0), length, graph.list(0)]);
  let x = graph.add('Add', [tokens, positions]);
  const { textWidth: width, textHeads: heads, activation } = c;
  x = transformer(layers, 'transformer', x, {
    width,
    heads,
    layers: c.textLayers,
    activation,
    mask: c.textCausal ? causalMask(layers, length, c.contextLength) : undefined,
  });
  x = layers.layerNorm(pooled(layers, x, ids, c), 'ln_final');
  if (layers.has('text_projection.weight')) return layers.linear(x, 'text_projection');
  return graph.add('MatMul', [x, layers.weight('text_projection')]);
}

/** Adds the causal mask [L, L]. Added to the scores, it keeps each token from seeing later ones. */
function causalMask({ graph }: Layers, length: string, contextLength: number): string {
  const all = graph.constant('causal_mask', () =>
    graph.floats(torch.full([contextLength, contextLength], -Infinity).triu(1)),
  );
  return graph.add('Slice', [
    all,
    graph.list(0, 0),
    graph.add('Concat', [length, length], { axis: 0 }),
    graph.list(0, 1),
  ]);
}

const INT32 = 6;

/** Selects the token that stands for the caption: [B, L, width] -> [B, width]. */
function pooled({ graph }: Layers, x: string, ids: string, c: CompleteConfig): string {
  if (c.textPool === 'first') return graph.add('Gather', [x, graph.index(0)], { axis: 1 });
  if (c.textPool === 'last') return graph.add('Gather', [x, graph.index(-1)], { axis: 1 });
  const marks = c.textPool === 'argmax' ? ids : graph.add('Equal', [ids, graph.index(c.textEosId)]);
  // [B, 1]; ArgMax takes the first of equal values
  const place = graph.add('ArgMax', [graph.add('Cast', [marks], { to: INT32 })], { axis: 1, keepdims: 1 });
  return graph.add('GatherND', [x, place], { batch_dims: 1 });
}
