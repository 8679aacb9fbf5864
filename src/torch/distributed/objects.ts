import { deserialize, serialize } from 'node:v8';

import { addon } from '../addon';
import { tensor as makeTensor, zeros } from '../factories';
import { wrap } from '../tensor';
import { inOneGo } from './group';

/**
 * Returns the values of all ranks, by rank (all_gather_object). A value is anything that structured cloning takes, so
 * neither a function nor a tensor. The ranks must trust one another, because what they send is deserialised.
 * @throws CleanclipError `ERR_DISTRIBUTED`, as `allGather`; an Error of Node for a value that cannot be cloned
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

/** Returns the bytes of tensors, and frees the tensors. */
function takeAll(handles: number[]): Buffer[] {
  return handles.map((handle) => {
    using tensor = wrap(handle);
    return Buffer.from(addon().copyBytes(tensor.handle));
  });
}
