// Trains with a loss of your own: CLIP's contrastive loss, and the mean cosine of images of one batch held down.
//
//   node examples/custom_loss.mjs pairs.csv
//
// pairs.csv has the columns image and caption.
import { AdamW, contrastiveLoss, loadClip, normalize, PairLoader, readPairs, torch } from 'cleanclip';

const [file] = process.argv.slice(2);
const clip = loadClip('tiny', { seed: 1 });
const optimizer = new AdamW([{ parameters: clip.namedParameters().map(([, tensor]) => tensor), weightDecay: 0.1 }], {
  lr: 1e-4,
});
const loader = new PairLoader(await readPairs(file), { batchSize: 8, size: clip.config.imageSize, seed: 1 });

/** The mean cosine of two images of a batch: of features of unit length, [B, embedDim]. */
function spread(images) {
  const [count] = images.shape;
  const others = torch.eye(count).neg().add(1); // 1 but for an image with itself
  return images.matmul(images.t()).mul(others).mean();
}

for (let epoch = 1; epoch <= 3; epoch++) {
  for await (const batch of loader.epoch(epoch)) {
    const loss = torch.tidy(() => {
      optimizer.zeroGrad();
      const { imageEmbeds, textEmbeds } = clip.forward(batch.ids, normalize(batch.pixels, clip.config));
      const clipLoss = contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp());
      const total = clipLoss.add(spread(imageEmbeds).mul(0.1));
      total.backward();
      optimizer.step();
      return total.item();
    });
    batch.dispose();
    console.log(`epoch ${epoch}, batch ${batch.index}: loss ${loss.toFixed(4)}`);
  }
}
await loader.close();
torch.save(clip.stateDict(), 'custom_loss.pt');
