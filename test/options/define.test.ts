import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';

describe('resolve', () => {
  test('fills in the defaults of the reference', () => {
    expect(resolve(trainOptions, {})).toMatchObject({
      name: 'default',
      epochs: 64,
      batchSize: 128,
      lr: 5e-4,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      weightDecay: 0.1,
      numWarmupSteps: 10000,
      inmodal: false,
      inmodalWeight: 1,
      clipWeight: 1,
      asr: false,
    });
  });

  test.each([
    [{ epochs: 0 }, '--epochs must be an integer of at least 1, but is 0.'],
    [{ epochs: 1.5 }, '--epochs must be an integer of at least 1, but is 1.5.'],
    [{ lr: NaN }, /^--lr must be a number of at least 0/],
    [{ lr: '1e-3' }, "--lr must be a number of at least 0, but is '1e-3'."],
    [{ patchType: 'rainbow' }, "--patch_type must be one of random, yellow, blended, SIG, warped, but is 'rainbow'."],
    [{ inmodal: 1 }, '--inmodal must be true or false, but is 1.'],
    [{ trainData: 5 }, '--train_data must be a string, but is 5.'],
  ])('refuses %p', (given, message) => {
    expect(() => resolve(trainOptions, given)).toThrow(message);
  });

  test('names the nearest option for an unknown one', () => {
    expect(() => resolve(trainOptions, { bathSize: 3 })).toThrow(
      'There is no option bathSize; did you mean batchSize?',
    );
    expect(() => resolve(trainOptions, { xyzzyPlugh: 3 })).toThrow(
      'There is no option xyzzyPlugh; see --help for all options.',
    );
  });
});
