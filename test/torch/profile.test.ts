import { torch } from '../../src/torch';

test('counts the operators of a function, and of the backward pass it starts', () => {
  const rows = torch.profile(() =>
    torch.tidy(() => {
      const a = torch.ones([4, 4], { requiresGrad: true });
      a.mm(a).sum().backward();
    }),
  );
  const calls = Object.fromEntries(rows.map(({ name, calls }) => [name, calls]));
  expect(calls['aten::mm']).toBe(3); // one forward, two backward
  expect(rows.map(({ seconds }) => seconds)).toEqual(rows.map(({ seconds }) => seconds).sort((x, y) => y - x));
  expect(rows.every(({ seconds }) => seconds >= 0 && seconds < 10)).toBe(true);
});

test('gives an operator its own time, not that of those it calls', () => {
  const rows = torch.profile(() => torch.tidy(() => void torch.ones([300, 300]).matmul(torch.ones([300, 300]))));
  const seconds = (wanted: string): number => rows.find(({ name }) => name === wanted)!.seconds;
  expect(seconds('aten::matmul')).toBeLessThan(seconds('aten::mm'));
});

test('ends when the function throws', () => {
  expect(() =>
    torch.profile(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  torch.tidy(() => torch.ones([1]).add(1));
  expect(torch.profile(() => {})).toEqual([]);
});
