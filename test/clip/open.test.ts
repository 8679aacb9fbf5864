import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { completeConfig } from '../../src/clip/config';
import { configs } from '../../src/clip/named';
import { sizesOf } from '../../src/clip/open';
import { temporaryFolder } from '../data/temporary';

const sizes = (content: unknown): unknown => {
  const modelName = join(temporaryFolder(), 'model.json');
  writeFileSync(modelName, JSON.stringify(content));
  return sizesOf({ modelName, precision: 'fp32', seed: 0 });
};

test('the sizes of a job are those of its file', () => {
  expect(sizes(configs.tiny)).toEqual(completeConfig(configs.tiny));
});

test.each([
  [null, 'The model configuration must be an object of sizes, but it is null.'],
  [[1], 'The model configuration must be an object of sizes, but it is [1].'],
  [{ a: 1 }, "The model configuration's embedDim must be an integer from 1 to 65,536, but it is undefined."],
  [
    { ...configs.tiny, vocabularySize: 100 },
    "The model knows 100 token ids, but CLIP's tokeniser has 49408; set vocabularySize to that.",
  ],
])('a file that holds %j is refused', (content, message) => {
  expect(() => sizes(content)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
});
