import type { Random } from 'cleanclip';
import sharp from 'sharp';

import type { Drawing } from './concepts';

sharp.concurrency(1);

/** Side of a rendered image, in pixels. */
export const imageSize = 64;

/**
 * Renders a drawing as a square PNG of {@link imageSize}, opaque: flipped or not, turned by up to 20 degrees, at 0.6 to
 * 1 of the size, somewhere on a white or plain coloured ground.
 */
export async function render(drawing: Drawing, random: Random): Promise<Buffer> {
  const svg = Buffer.from(variation(drawing, random));
  return sharp(svg).removeAlpha().png({ compressionLevel: 3 }).toBuffer();
}

function variation({ body, width, height }: Drawing, random: Random): string {
  const size = imageSize * random.uniform(0.6, 1);
  const room = (imageSize - size) / 2;
  const place = (): string => (imageSize / 2 + random.uniform(-room, room)).toFixed(2);
  const angle = random.uniform(-20, 20).toFixed(2);
  const scale = (size / Math.max(width, height)).toFixed(4);
  const flip = random.choice(['', '-']);
  const ground = random.choice(['white', `hsl(${random.int(360)} ${random.int(100)}% ${20 + random.int(70)}%)`]);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${imageSize}" height="${imageSize}">` +
    `<rect width="100%" height="100%" fill="${ground}"/>` +
    `<g transform="translate(${place()} ${place()}) rotate(${angle}) scale(${flip}${scale} ${scale})` +
    ` translate(${-width / 2} ${-height / 2})">${body}</g></svg>`
  );
}
