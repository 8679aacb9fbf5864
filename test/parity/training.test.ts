import { configs } from '../../src/clip/named';
import { tinyViT } from './models';
import { type Part, passes } from './rows/row';
import { stepParts } from './rows/step';
import { continuedHere, continuedInPython, pretraining, twentySteps } from './rows/steps';

// Rows of the parity report on small models; `npm run parity` measures the large ones.
const failing = (parts: Part[]): Part[] => parts.filter((part) => !passes(part));

test('the loss and every gradient of a CleanCLIP step', async () => {
  expect(failing(await stepParts('a ResNet', configs.tiny, ['in order']))).toEqual([]);
});

test('20 steps of AdamW, warm-up and cosine', async () => {
  expect(failing(await twentySteps('a ViT', tinyViT, pretraining, ['in order']))).toEqual([]);
});

test('Python goes on with a checkpoint from here, optimizer included', async () => {
  expect(failing([await continuedInPython('a ViT', tinyViT)])).toEqual([]);
});

test("a checkpoint of Python's goes on here, optimizer included", async () => {
  expect(failing([await continuedHere('a ViT', tinyViT)])).toEqual([]);
});
