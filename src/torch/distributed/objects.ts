import { deserialize, serialize } from 'node:v8';

import { addon } from '../addon';
import { tensor as makeTensor, zeros } from '../factories';
import { wrap } from '../tensor';
import { inOneGo } from './group';

/**
 * The values of all ranks, by rank (all_gather_object): anything that structured cloning takes, so no functions and no
 * tensors. The ranks trust one another: what they send is deserialised.
 */
export async function allGatherObject<T>(value: T): Promise<T[]> {
  const bytes = serialize(value);
  return inOneGo('allGatherObject', async ({ native }) => {
    using length = makeTensor([BigInt(bytes.length)]);
    const lengths = takeAll(await addon().allGather(native, length.handle)).map((one) => Number(one.readBigInt64LE()));
    using padded = zeros([Math.max(...lengths)], { dtype: 'uint8' });
    padded.bytes().set(bytes);
    const all = takeAll(await addon().allGather(native, padded.handle));
    return all.map((one, rank) => deserialize(one.subarray(0, lengths[rank])) as T);
  });
}

/** The bytes of tensors, which are freed. */
function takeAll(handles: number[]): Buffer[] {
  return handles.map((handle) => {
    using tensor = wrap(handle);
    return Buffer.from(addon().copyBytes(tensor.handle));
  });
}
