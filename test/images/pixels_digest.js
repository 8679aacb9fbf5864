// Prints one digest per kernel of its results for images of many sizes, as JSON. ATEN_CPU_CAPABILITY in the environment
// chooses the instructions.
const { createHash } = require('node:crypto');

const { autoAugmentOp, operationNames } = require('../../dist/augment/autoaugment.js');
const { resizeImage, normalizeImages } = require('../../dist/images/kernels.js');
const { Random } = require('../../dist/random.js');
const { torch } = require('../../dist/torch/index.js');

const magnitudes = { Posterize: 3, Solarize: 77.5, Rotate: 26.7, TranslateX: 3, TranslateY: -2 };
const random = new Random(5);
const hashes = new Map();

/** Adds the bytes of a tensor to the digest of a kernel. */
function add(kernel, tensor) {
  if (!hashes.has(kernel)) hashes.set(kernel, createHash('sha256'));
  hashes.get(kernel).update(tensor.contiguous().bytes());
}

/** An image of noise, of black and white, of one colour, or of a ramp. */
function picture(height, width, kind) {
  const values = [
    () => random.int(256),
    () => 255 * random.int(2),
    () => 93,
    (i) => (Math.floor((i % (3 * width)) / 3) * 200) / width + random.int(20),
  ];
  return torch.tensor(
    Uint8Array.from({ length: 3 * height * width }, (_, i) => values[kind](i)),
    {
      shape: [3, height, width],
    },
  );
}

function resize(image, [, height, width]) {
  const target = { width: 1 + random.int(2 * width + 8), height: 1 + random.int(2 * height + 8) };
  const crop = { left: random.int(target.width), top: random.int(target.height) };
  const rest = { width: target.width - crop.left, height: target.height - crop.top };
  const part = { ...crop, width: 1 + random.int(rest.width), height: 1 + random.int(rest.height) };
  for (const interpolation of ['bicubic', 'bilinear']) {
    add('resize', resizeImage(image, target, part, interpolation));
    // from far apart to near: each has kernels of its own
    for (const side of [1 + width, Math.ceil(width / 2), Math.ceil(width / 5), Math.ceil(width / 9)])
      add(
        'resize',
        resizeImage(image, { width: side, height: 9 }, { left: 0, top: 0, width: side, height: 9 }, interpolation),
      );
  }
}

const sizes = [1, 2, 3, 5, 16, 17, 43, 64, 65, 130];
for (const [i, height] of sizes.entries()) {
  for (const [j, width] of [...sizes, 300].entries()) {
    torch.tidy(() => {
      const image = picture(height, width, (i + j) % 4);
      for (const name of operationNames) {
        for (const sign of [1, -1]) add(name, autoAugmentOp(image, name, magnitudes[name] ?? sign * 0.4));
      }
      add('Color', autoAugmentOp(image, 'Color', 1e9));
      add('normalize', normalizeImages(image, [0.48, 0.45, 0.4], [0.26, 0.27, 0.28]));
      resize(image, image.shape);
    });
  }
}
console.log(JSON.stringify(Object.fromEntries([...hashes].map(([kernel, hash]) => [kernel, hash.digest('hex')]))));
