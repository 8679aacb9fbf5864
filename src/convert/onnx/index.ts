import type { CompleteConfig } from '../../clip/config';
import type { Outgoing } from '../state';
import { Graph } from './graph';
import { imageTower } from './image';
import { Layers } from './layers';
import { textTower } from './text';
import { type ModelNotes, writeModel } from './write';

/**
 * The most bytes of weights kept inside the model file, far below the 2 GB of a protobuf message. More go to a file of
 * their own.
 */
const MOST_INLINE = 2 ** 30;

const FLOAT = 1;
const FLOAT16 = 10;

/**
 * Writes the format `onnx`, at opset 17: two graphs, built from the structure of the model.
 * - `image.onnx`: float32 `pixel_values` [batch, 3, S, S] -> float32 `image_features` [batch, embedDim].
 * - `text.onnx`: int64 `input_ids` [batch, ≤ contextLength] -> float32 `text_features` [batch, embedDim].
 *
 * Features are not normalised. With float16 weights both graphs compute in float16 between float32 inputs and outputs.
 * The metadata of the files holds what a user of the features needs too: `config`, `logit_scale` and, if there is one,
 * `logit_bias`.
 * @param mostInline the most bytes of weights kept in `image.onnx` or `text.onnx`; more go to a file `.onnx.data`
 * beside it; default 1 GiB
 */
export function writeOnnx(folder: string, { config, state, half }: Outgoing, mostInline = MOST_INLINE): void {
  const { imageSize, embedDim } = config;
  const write = (
    tower: 'image' | 'text',
    input: ModelNotes['inputs'][number],
    draw: (layers: Layers, from: string, config: CompleteConfig) => string,
  ): void => {
    const graph = new Graph(half);
    const from = half && input.type === 'float' ? graph.add('Cast', [input.name], { to: FLOAT16 }) : input.name;
    const features = draw(new Layers(graph, state), from, config);
    const name = `${tower}_features`;
    graph.output(half ? graph.add('Cast', [features], { to: FLOAT }) : features, name);
    const output = { name, type: 'float', shape: ['batch', embedDim] } as const;
    const doc = `The ${tower} tower of a CLIP. Its features are not normalised.`;
    writeModel(
      folder,
      graph,
      { name: tower, doc, inputs: [input], outputs: [output], metadata: notesOf(config, state) },
      mostInline,
    );
  };
  write('image', { name: 'pixel_values', type: 'float', shape: ['batch', 3, imageSize, imageSize] }, imageTower);
  write('text', { name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] }, textTower);
}

function notesOf(config: CompleteConfig, state: Outgoing['state']): Record<string, string> {
  return {
    config: JSON.stringify(config),
    logit_scale: String(Math.exp(state.logit_scale.item())),
    ...(config.logitBias && { logit_bias: String(state.logit_bias.item()) }),
  };
}
