import { triggers } from './rows/triggers';
import { passes } from './rows/row';

test('the same seed gives the triggers of Python', async () => {
  const parts = await triggers.measure('torch');
  expect(parts.filter((part) => !passes(part))).toEqual([]);
});
