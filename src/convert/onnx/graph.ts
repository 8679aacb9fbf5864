import { type Tensor, torch } from '../../torch';

/** A weight, or a constant, of a graph. */
export interface Initializer {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The value of an attribute: a whole number, a FloatAttribute, or a list of whole numbers. */
export type Attribute = number | FloatAttribute | readonly number[];

/** An attribute that ONNX stores as float32, where a plain number is an integer. */
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

/** An input or output: 'float' or 'int64', and its sizes, a name for one that is free. */
export interface Port {
  readonly name: string;
  readonly type: 'float' | 'int64';
  readonly shape: readonly (number | string)[];
}

/**
 * An ONNX graph while it is drawn, operator by operator, in the order of computation. Values are known by their names.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  private readonly constants = new Map<string, string>();
  private count = 0;

  /** @param half compute in float16 */
  constructor(readonly half: boolean) {}

  /** A node of the operator; its output. */
  add(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.split(op, inputs, 1, attributes)[0];
  }

  /** A node with several outputs. */
  split(op: string, inputs: readonly string[], outputs: number, attributes: Record<string, Attribute> = {}): string[] {
    const names = Array.from({ length: outputs }, () => `${op}_${this.count++}`);
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names;
  }

  /** Gives a value the name of an output. */
  output(value: string, name: string): void {
    this.nodes.push({ op: 'Identity', inputs: [value], outputs: [name], attributes: {} });
  }

  /** A weight under its name in the state dict; of the dtype that the state dict is stored in. */
  weight(name: string, tensor: Tensor): string {
    this.initializers.push({ name, tensor });
    return name;
  }

  /** A number of the dtype that is computed in. */
  number(value: number): string {
    return this.constant(`number_${value}`, () => this.floats(torch.tensor([value]).reshape([])));
  }

  /** A list of whole numbers: int64 [n]. */
  list(...values: number[]): string {
    return this.constant(`list_${values.join('_')}`, () => torch.tensor(BigInt64Array.from(values, BigInt)));
  }

  /** A single whole number: int64 []. */
  index(value: number): string {
    return this.constant(`index_${value}`, () => torch.tensor(BigInt64Array.of(BigInt(value))).reshape([]));
  }

  /** As `tensor` in the dtype that is computed in. */
  floats(tensor: Tensor): Tensor {
    return this.half ? tensor.to('float16') : tensor.to('float32');
  }

  /** Made once for each name. */
  constant(name: string, make: () => Tensor): string {
    if (!this.constants.has(name)) this.constants.set(name, this.weight(name, make()));
    return this.constants.get(name)!;
  }
}
