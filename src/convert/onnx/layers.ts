import type { StateDict } from '../../clip/weights';
import { FloatAttribute, type Graph } from './graph';

const EPS = new FloatAttribute(1e-5);

/** Adds the layers of a state dict to a graph, as ONNX operators. Each method returns the name of its output. */
export class Layers {
  constructor(
    readonly graph: Graph,
    private readonly state: StateDict,
  ) {}

  /** Adds a weight, and returns the name of its initializer. */
  weight(name: string): string {
    return this.graph.weight(name, this.state[name]);
  }

  /** Tells whether the model has a weight of that name. */
  has(name: string): boolean {
    return Object.hasOwn(this.state, name);
  }

  /** Adds a Linear layer: [..., in] -> [..., out]. Its weight [out, in] is stored transposed, as MatMul needs it. */
  linear(x: string, name: string, { weight = `${name}.weight`, bias = `${name}.bias` } = {}): string {
    const product = this.graph.add('MatMul', [x, this.graph.weight(`${weight}.T`, this.state[weight].t())]);
    return this.graph.add('Add', [product, this.weight(bias)]);
  }

  /** Adds a LayerNorm with the weights `name.weight` and `name.bias`. */
  layerNorm(x: string, name: string): string {
    return this.graph.add('LayerNormalization', [x, this.weight(`${name}.weight`), this.weight(`${name}.bias`)], {
      axis: -1,
      epsilon: EPS,
    });
  }

  /** Adds a convolution without bias, followed by a batch norm with its running statistics. */
  convolution(x: string, conv: string, norm: string, { stride = 1, padding = 0 } = {}): string {
    const { graph } = this;
    const [, , height, width] = this.state[`${conv}.weight`].shape;
    const attributes = {
      kernel_shape: [height, width],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    };
    const y = graph.add('Conv', [x, this.weight(`${conv}.weight`)], attributes);
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => this.weight(`${norm}.${part}`));
    return graph.add('BatchNormalization', [y, ...parts], { epsilon: EPS });
  }

  /** Adds an activation: x·σ(1.702x) for quick_gelu, x·Φ(x) for gelu. */
  activation(x: string, kind: 'quick_gelu' | 'gelu'): string {
    const { graph } = this;
    if (kind === 'quick_gelu')
      return graph.add('Mul', [x, graph.add('Sigmoid', [graph.add('Mul', [x, graph.number(1.702)])])]);
    const erf = graph.add('Erf', [graph.add('Mul', [x, graph.number(Math.SQRT1_2)])]);
    return graph.add('Mul', [graph.add('Mul', [x, graph.number(0.5)]), graph.add('Add', [erf, graph.number(1)])]);
  }

  /**
   * Adds multi-head attention: `q` [B, queries, width], `k` and `v` [B, length, width] -> [B, queries, width]. `mask`,
   * if given, is added to the scores [B, heads, queries, length].
   */
  attention(
    q: string,
    k: string,
    v: string,
    { width, heads, mask }: { width: number; heads: number; mask?: string },
  ): string {
    const { graph } = this;
    const byHead = (x: string, perm: number[]): string =>
      graph.add('Transpose', [graph.add('Reshape', [x, graph.list(0, -1, heads, width / heads)])], { perm });
    const query = graph.add('Mul', [byHead(q, [0, 2, 1, 3]), graph.number((width / heads) ** -0.5)]);
    const scores = graph.add('MatMul', [query, byHead(k, [0, 2, 3, 1])]);
    const weights = graph.add('Softmax', [mask === undefined ? scores : graph.add('Add', [scores, mask])], {
      axis: -1,
    });
    const answers = graph.add('Transpose', [graph.add('MatMul', [weights, byHead(v, [0, 2, 1, 3])])], {
      perm: [0, 2, 1, 3],
    });
    return graph.add('Reshape', [answers, graph.list(0, -1, width)]);
  }
}
