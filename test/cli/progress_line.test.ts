import type { WriteStream } from 'node:tty';

import { ProgressLine } from '../../src/cli/progress_line';

const written: string[] = [];
const terminal = { isTTY: true, write: (text: string) => written.push(text) } as unknown as WriteStream;
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('the time left is that of the work under way, not of the work before', () => {
  const line = new ProgressLine(terminal);
  const last = (): string => written.at(-1)!.replace('\r\x1b[2K', '');
  line.update(0, 1000, 'bytes read');
  jest.advanceTimersByTime(60_000);
  line.update(500, 1000, 'bytes read');
  expect(last()).toBe('██████████░░░░░░░░░░ 50%  500/1000  bytes read  1 min 0 s left');
  line.update(1000, 1000, 'bytes read');
  jest.advanceTimersByTime(1000);
  line.update(1001, 5001, 'steps'); // more than was done of the work before
  expect(last()).toBe('████░░░░░░░░░░░░░░░░ 20%  1001/5001  steps');
  jest.advanceTimersByTime(1000);
  line.update(2001, 5001, 'steps');
  expect(last()).toBe('████████░░░░░░░░░░░░ 40%  2001/5001  steps  3 s left');
});
