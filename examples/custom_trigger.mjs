// Puts a trigger of your own on an image: a chessboard of 16 pixels in each corner, and a red tint over all of it.
//
//   node examples/custom_trigger.mjs image.png triggered.png
import { torch } from 'cleanclip';
import sharp from 'sharp';

const [source, target] = process.argv.slice(2);
const side = 16; // pixels

/** uint8 [3, side, side]: squares of four pixels, black and white. */
function chessboard() {
  const stripe = torch.arange(side).floor_divide(4).remainder(2); // 0 0 0 0 1 1 1 1 …
  const board = stripe.unsqueeze(0).add(stripe.unsqueeze(1)).remainder(2).mul(255);
  return board.to('uint8').expand([3, side, side]);
}

/** The image with the trigger: uint8 [3, H, W] to the same. */
function trigger(image) {
  const [, height, width] = image.shape;
  const red = torch.tensor([255, 0, 0]).view([3, 1, 1]);
  const result = image.to('float32').mul(0.9).add(red, { alpha: 0.1 }).to('uint8');
  for (const top of [0, height - side])
    for (const left of [0, width - side]) result.narrow(1, top, side).narrow(2, left, side).copy_(chessboard());
  return result;
}

const { data, info } = await sharp(source)
  .removeAlpha()
  .toColourspace('srgb')
  .raw()
  .toBuffer({ resolveWithObject: true });
const pixels = torch.tidy(() => {
  const image = torch.tensor(new Uint8Array(data), { shape: [info.height, info.width, 3] }).permute([2, 0, 1]);
  return trigger(image).permute([1, 2, 0]).contiguous().data();
});
await sharp(pixels, { raw: { width: info.width, height: info.height, channels: 3 } })
  .png()
  .toFile(target);
