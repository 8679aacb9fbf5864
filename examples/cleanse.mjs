// Cleanses a CLIP of your own with CleanCLIP (Bansal et al. 2023), and shows what the attack achieves before and after.
//
//   node examples/cleanse.mjs model.pt clean.csv labelled-images banana
//
// model.pt is a checkpoint, a state dict or a folder of a model; clean.csv has the columns image and caption, 64 rows
// or more; labelled-images is a folder with labels.csv and classes.json; banana is the class that the attack leads to.
import { CleanclipError, evaluate, finetune } from 'cleanclip';

const [checkpoint, trainData, evalTestDataDir, label] = process.argv.slice(2);

/** Clean accuracy and attack success rate, in percent. */
async function measure(title, model) {
  const metrics = await evaluate({ checkpoint: model, evalTestDataDir, label, asr: true, patchType: 'random' });
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  console.log(`${title}: accuracy ${percent(metrics.zeroshot_top1)}, attack ${percent(metrics.asr_top1)}`);
}

try {
  await measure('before', checkpoint);
  const cleansed = await finetune({
    checkpoint,
    trainData,
    name: 'cleansed', // its files are in logs/cleansed
    onProgress: (event) => event.type === 'log' && console.log(event.line),
  });
  await measure('after', cleansed.checkpoint);
  console.log(cleansed.checkpoint);
} catch (error) {
  if (!(error instanceof CleanclipError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
