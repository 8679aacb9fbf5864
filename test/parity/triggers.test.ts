import { passes } from './rows/row';
import { triggers } from './rows/triggers';

test('the same seed gives the triggers of Python', async () => {
  const parts = await triggers.measure('torch');
  expect(parts.filter((part) => !passes(part))).toEqual([]);
});
