import { type CompleteConfig, mlpWidth } from './config';

/** Counts the elements of the tensors of a CLIP. The batch norms of a ResNet and the counters are not counted. */
export function weightCount(config: CompleteConfig): number {
  const { embedDim, contextLength, vocabularySize, textWidth, textLayers, textMlpRatio } = config;
  const text =
    textLayers * block(textWidth, mlpWidth(textWidth, textMlpRatio)) +
    (vocabularySize + contextLength + embedDim + 2) * textWidth;
  return text + (config.visionPatchSize === undefined ? resnet(config) : transformer(config, config.visionPatchSize));
}

/** Counts the elements of a block: attention, two layer norms, an MLP, and biases. */
const block = (width: number, hidden: number): number => width * (4 * width + 2 * hidden + 9) + hidden;

function transformer(
  { visionLayers, visionWidth: width, visionMlpRatio, imageSize, embedDim }: CompleteConfig,
  patch: number,
): number {
  const tokens = (imageSize / patch) ** 2 + 1;
  return (
    (visionLayers as number) * block(width, mlpWidth(width, visionMlpRatio)) +
    width * (3 * patch ** 2 + tokens + embedDim + 5)
  );
}

function resnet({ visionLayers, visionWidth, imageSize, embedDim }: CompleteConfig): number {
  const bottleneck = (width: number): number => 17 * width ** 2; // 4·w·w, 9·w·w and w·4·w
  const stages = (visionLayers as number[]).reduce(
    (sum, blocks, stage) => sum + blocks * bottleneck(visionWidth << stage),
    0,
  );
  const attending = 32 * visionWidth;
  return stages + attending * (3 * attending + embedDim + (imageSize / 32) ** 2 + 1);
}
