import { type Tensor, torch } from '../../../src/torch';
import { runRanks, valuesOf } from './ranks';

/** What joined_scenarios.js gives each rank. */
const rowsOfRank = (rank: number, counts: number[]): Tensor =>
  torch.randn([counts[rank], 2, 3], { generator: new torch.Generator(rank) });
const weightsOfRank = (rank: number, shape: number[]): Tensor =>
  torch.randn(shape, { generator: new torch.Generator(100 + rank) });

const close = (actual: unknown, expected: Tensor): void => {
  const tensor = torch.tensor(actual as number[]);
  expect(tensor.shape).toEqual(expected.shape);
  expect(tensor.allclose(expected, 1e-6, 1e-6)).toBe(true);
};

describe.each([[[3]], [[2, 2]], [[1, 3]], [[2, 1, 4]]])('ranks of %j rows', (counts) => {
  const worldSize = counts.length;
  const joined = torch
    .cat(counts.map((_, rank) => rowsOfRank(rank, counts)))
    .mul(2)
    .transpose(1, 2);
  const ofRank = (tensor: Tensor, rank: number): Tensor => tensor.split(counts)[rank].transpose(1, 2).mul(2);
  const weights = counts.map((_, rank) => weightsOfRank(rank, joined.shape));
  let values: unknown[][];

  beforeAll(async () => {
    values = await valuesOf(worldSize, [
      ['gatherRows', counts, 'own'],
      ['gatherRows', counts, 'all'],
      ['gatherIntegers', counts],
      ['gatherRefusals'],
    ]);
  });

  test("'own': all rows; a rank's have the gradient of its own loss", () => {
    (values[0] as unknown[][]).forEach(([all, gradient], rank) => {
      close(all, joined);
      close(gradient, ofRank(weights[rank], rank));
    });
  });

  test("'all': all rows; a rank's have the gradients of the losses of all", () => {
    const sum = torch.stack(weights).sum([0]);
    (values[1] as unknown[][]).forEach(([all, gradient], rank) => {
      close(all, joined);
      close(gradient, ofRank(sum, rank));
    });
  });

  test('integers, which have no gradient', () => {
    const expected = counts.flatMap((count, rank) => Array<number>(count).fill(rank));
    expect(values[2]).toEqual(counts.map(() => expected));
  });

  test('wrong counts are refused before anything is exchanged', () => {
    const twos = counts.map(() => 2);
    values[3].forEach((refusals, rank) => {
      const wrong = (list: number[]): string =>
        `ERR_OPTION: counts must be ${worldSize} integers above 0, one for each rank, but they are ` +
        `[${list.join(', ')}].`;
      expect(refusals).toEqual([
        wrong([...twos, 2]),
        wrong(twos.with(rank, 0)),
        `ERR_OPTION: counts gives rank ${rank} 3 rows, but its tensor is [2, 3].`,
        "ERR_OPTION: gradient must be 'own' or 'all', but it is 'some'.",
        [2 * worldSize, 3],
      ]);
    });
  });
});

test('a rank that does not come, and one that does not come to backward', async () => {
  const [waiting] = await runRanks(2, [['absentFromGather']], { timeout: 2000 });
  expect(waiting.error).toMatchObject({
    code: 'ERR_DISTRIBUTED',
    message: expect.stringContaining('Rank 0 of 2: allGatherRows '),
  });
  const [backward] = await runRanks(2, [['absentFromGatherBackward']], { timeout: 2000 });
  expect(backward.error).toMatchObject({ code: 'ERR_DISTRIBUTED' });
});

test('a rank that does not come to a backward without exchange of gradients', async () => {
  const [backward] = await runRanks(2, [['absentFromQuietBackward']], { timeout: 5000 });
  expect(backward.error).toMatchObject({
    code: 'ERR_DISTRIBUTED',
    message: 'Rank 0 of 2: backward failed: rank 1 has left the group.',
  });
});

test('without a group', () => {
  expect(() => torch.distributed.allGatherRows(torch.ones([1]), [1], 'own')).toThrow(
    'There is no process group in this thread',
  );
});
