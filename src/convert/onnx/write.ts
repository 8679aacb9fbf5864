import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { Root, type Type } from 'protobufjs';

import { writeFully } from '../../files';
import { type Tensor, torch } from '../../torch';
import { elementSize } from '../../torch/serialization/placement';
import { writeElements } from '../../torch/serialization/tensor_bytes';
import { type Attribute, FloatAttribute, type Graph, type Port } from './graph';

/** The description of a model beside its graph. */
export interface ModelNotes {
  name: string;
  doc: string;
  inputs: Port[];
  outputs: Port[];
  metadata: Record<string, string>;
}

/** The dtypes that this library writes, by number of ONNX (TensorProto.DataType). */
const dataTypes: Readonly<Record<string, number>> = { float32: 1, float: 1, int64: 7, float16: 10 };
/** Values of AttributeProto.AttributeType. */
const attributeTypes = { float: 1, int: 2, ints: 7 };
/** A value of TensorProto.DataLocation. */
const EXTERNAL = 1;
/** The alignment of external tensors, in bytes. Mapped tensors must begin at a page. */
const PAGE = 4096;
/** The version of the format that introduced opset 17. */
const IR_VERSION = 8;
const OPSET = 17;

/**
 * Writes a graph as `<name>.onnx`. A protobuf message holds less than 2 GB, so weights of more than `mostInline` bytes
 * go to `<name>.onnx.data` beside it.
 */
export function writeModel(folder: string, graph: Graph, notes: ModelNotes, mostInline: number): void {
  const file = `${notes.name}.onnx`;
  torch.tidy(() => {
    const tensors = graph.initializers.map(({ name, tensor }) => ({ name, tensor: tensor.contiguous() }));
    const size = tensors.reduce((sum, { tensor }) => sum + bytesOf(tensor), 0);
    const initializer = size > mostInline ? external(folder, `${file}.data`, tensors) : tensors.map(inline);
    const model = {
      ir_version: IR_VERSION,
      producer_name: 'cleanclip',
      doc_string: notes.doc,
      opset_import: [{ domain: '', version: OPSET }],
      metadata_props: Object.entries(notes.metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name: notes.name,
        node: graph.nodes.map(({ op, inputs, outputs, attributes }) => ({
          op_type: op,
          name: outputs[0],
          input: inputs,
          output: outputs,
          attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
        })),
        initializer,
        input: notes.inputs.map(port),
        output: notes.outputs.map(port),
      },
    };
    const fd = openSync(join(folder, file), 'wx');
    try {
      writeFully(fd, modelType().encode(model).finish());
    } finally {
      closeSync(fd);
    }
  });
}

interface Named {
  name: string;
  tensor: Tensor;
}

const bytesOf = (tensor: Tensor): number => tensor.numel() * elementSize(tensor.dtype);

const described = ({ name, tensor }: Named): object => ({
  name,
  dims: tensor.shape,
  data_type: dataTypes[tensor.dtype],
});

const inline = (named: Named): object => ({ ...described(named), raw_data: named.tensor.bytes() });

/** Writes all but small tensors into a separate file, each at the start of a page. */
function external(folder: string, file: string, tensors: Named[]): object[] {
  const fd = openSync(join(folder, file), 'wx');
  try {
    let end = 0;
    return tensors.map((named) => {
      const length = bytesOf(named.tensor);
      if (length < PAGE) return inline(named);
      const offset = Math.ceil(end / PAGE) * PAGE;
      writeElements(fd, [
        { position: offset, tensor: named.tensor, start: named.tensor.storage_offset(), count: named.tensor.numel() },
      ]);
      end = offset + length;
      const place = { location: file, offset: String(offset), length: String(length) };
      return {
        ...described(named),
        data_location: EXTERNAL,
        external_data: Object.entries(place).map(([key, value]) => ({ key, value })),
      };
    });
  } finally {
    closeSync(fd);
  }
}

function attribute(name: string, value: Attribute): object {
  if (value instanceof FloatAttribute) return { name, type: attributeTypes.float, f: value.value };
  return typeof value === 'number'
    ? { name, type: attributeTypes.int, i: value }
    : { name, type: attributeTypes.ints, ints: value };
}

const port = ({ name, type, shape }: Port): object => ({
  name,
  type: {
    tensor_type: {
      elem_type: dataTypes[type],
      shape: { dim: shape.map((size) => (typeof size === 'string' ? { dim_param: size } : { dim_value: size })) },
    },
  },
});

let schema: Root | undefined;

/** Loads `ModelProto` from the schema of ONNX, once. */
function modelType(): Type {
  schema ??= new Root().loadSync(join(__dirname, '../../../data/onnx/onnx.proto'), { keepCase: true });
  return schema.lookupType('onnx.ModelProto');
}
