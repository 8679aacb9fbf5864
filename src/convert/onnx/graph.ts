import { type Tensor, torch } from '../../torch';

/** A weight or constant of a graph. */
export interface Initializer {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The value of an attribute: an integer, a FloatAttribute, or a list of integers. */
export type Attribute = number | FloatAttribute | readonly number[];

/** An attribute that ONNX stores as float32. A plain number is stored as an integer. */
export class FloatAttribute {
  constructor(readonly value: number) {}
}

/** An operator of the graph with the names of its inputs and outputs. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output of a graph. A size in `shape` is a string, the name of the axis, when it may vary. */
export interface Port {
  readonly name: string;
  readonly type: 'float' | 'int64';
  readonly shape: readonly (number | string)[];
}

/**
 * An ONNX graph under construction, operator by operator in the order of computation. Values are referred to by name.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  private readonly constants = new Map<string, string>();
  private count = 0;

  /** @param half whether to compute in float16 */
  constructor(readonly half: boolean) {}

  /** Adds a node with one output, and returns the name of the output. */
  add(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.split(op, inputs, 1, attributes)[0];
  }

  /** Adds a node with several outputs, and returns their names. */
  split(op: string, inputs: readonly string[], outputs: number, attributes: Record<string, Attribute> = {}): string[] {
    const names = Array.from({ length: outputs }, () => `${op}_${this.count++}`);
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names;
  }

  /** Makes a value an output of the graph under this name. */
  output(value: string, name: string): void {
    this.nodes.push({ op: 'Identity', inputs: [value], outputs: [name], attributes: {} });
  }

  /** Adds a weight under its name in the state dict, in the dtype that the state dict stores, and returns the name. */
  weight(name: string, tensor: Tensor): string {
    this.initializers.push({ name, tensor });
    return name;
  }

  /** Adds a scalar in the dtype of the computation, and returns its name. */
  number(value: number): string {
    return this.constant(`number_${value}`, () => this.floats(torch.tensor([value]).reshape([])));
  }

  /** Adds a list of integers, int64 [n], and returns its name. */
  list(...values: number[]): string {
    return this.constant(`list_${values.join('_')}`, () => torch.tensor(BigInt64Array.from(values, BigInt)));
  }

  /** Adds a single integer, int64 [], and returns its name. */
  index(value: number): string {
    return this.constant(`index_${value}`, () => torch.tensor(BigInt64Array.of(BigInt(value))).reshape([]));
  }

  /** Converts a tensor to the dtype of the computation: float16 or float32. */
  floats(tensor: Tensor): Tensor {
    return this.half ? tensor.to('float16') : tensor.to('float32');
  }

  /** Adds a constant, once per name, and returns the name. */
  constant(name: string, make: () => Tensor): string {
    if (!this.constants.has(name)) this.constants.set(name, this.weight(name, make()));
    return this.constants.get(name)!;
  }
}
