// Runs image.onnx and text.onnx of a folder with onnxruntime. In a process of its own: jest's typed arrays are others
// than those that it knows.
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { join } = require('node:path');

async function features(folder, tower, input, tensor) {
  const session = await InferenceSession.create(join(folder, `${tower}.onnx`), { intraOpNumThreads: 1 });
  const results = await session.run({ [input]: tensor });
  const { data, dims, type } = results[`${tower}_features`];
  return { data: Array.from(data), dims, type };
}

async function main(folder, { pixels, ids }) {
  const image = await features(
    folder,
    'image',
    'pixel_values',
    new Tensor('float32', Float32Array.from(pixels.data), pixels.shape),
  );
  const text = await features(
    folder,
    'text',
    'input_ids',
    new Tensor('int64', BigInt64Array.from(ids.data, BigInt), ids.shape),
  );
  console.log(JSON.stringify({ image, text }));
}

let input = '';
process.stdin.on('data', (chunk) => (input += chunk)).on('end', () => main(process.argv[2], JSON.parse(input)));
