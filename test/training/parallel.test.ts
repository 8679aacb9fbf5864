import { loadClip } from '../../src/clip/model';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { torch } from '../../src/torch';
import { ParallelModel } from '../../src/training/parallel';
import { miniModel } from '../support/pairs';

test('the size of buckets is that of --bucket_cap_mb', async () => {
  const create = jest
    .spyOn(torch.distributed.DistributedDataParallel, 'create')
    .mockRejectedValue(new Error('no group here'));
  const clip = loadClip(miniModel, { seed: 0 });
  for (const given of [{ bucketCapMb: 0.5 }, {}])
    await expect(ParallelModel.create(clip, resolve(trainOptions, given))).rejects.toThrow('no group here');
  expect(create.mock.calls).toMatchObject([
    [clip, { bucketCapMb: 0.5 }],
    [clip, { bucketCapMb: undefined }],
  ]);
});
