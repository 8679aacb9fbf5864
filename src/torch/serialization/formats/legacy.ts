import { Fault, shown } from '../fault';
import { type CheckpointFile, type FileBytes, ReadAhead } from '../file_bytes';
import { Dict, Storage } from '../handles';
import type { PickleWorld } from '../pickle/machine';
import { toPlain } from '../pickle/plain';
import { PickleReader } from '../pickle/reader';
import { RecordTensors } from '../record_tensors';
import type { TensorMaker } from '../tensor_record';
import { checkpointWorld } from '../world';
import type { Extent } from '../zip/reader';

const magicNumber = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;

/**
 * Reads what `torch.save` wrote before torch 1.6. The file begins with five pickles: a magic number, a protocol
 * version, facts about the machine, the value, and the keys of its storages. Then each storage follows: the number of
 * its elements, and the elements. Source: `_legacy_save` of torch.serialization.
 *
 * The position of a storage is known only after the value has been read. So the value is unpickled twice, the first
 * time with placeholders for the tensors.
 */
export function readLegacy(file: CheckpointFile): unknown {
  const { bytes } = file;
  const source = new ReadAhead(bytes);
  const pickleAt = (start: number, world: PickleWorld): { value: unknown; end: number } => {
    const reader = new PickleReader(source, world, start);
    const value = reader.read();
    return { value, end: reader.end };
  };
  const head = readHead((start) =>
    pickleAt(
      start,
      checkpointWorld(standIns, 0, () => undefined),
    ),
  );

  const sizes = new Map<string, { bytes: number; elementBytes: number }>();
  const collecting = checkpointWorld(standIns, bytes.length);
  const persistent = (id: unknown): unknown => {
    const storage = collecting.persistent(id);
    if (!(storage instanceof Storage)) return storage;
    const { key, elementBytes } = storage;
    if (sizes.has(key) && sizes.get(key)!.bytes !== storage.bytes)
      throw new Fault(`is damaged: its storage ${shown(key)} has two sizes`);
    sizes.set(key, { bytes: storage.bytes, elementBytes });
    return storage;
  };
  const body = pickleAt(head, { ...collecting, persistent });
  const keys = pickleAt(
    body.end,
    checkpointWorld(standIns, 0, () => undefined),
  );
  const extents = locateStorages(bytes, keys.end, keys.value, sizes);

  using tensors = new RecordTensors(file, (key) => {
    const extent = extents.get(key);
    if (!extent) throw new Fault(`is damaged: its storage ${shown(key)} is missing`);
    return extent;
  });
  const world = checkpointWorld(tensors, body.end - head);
  const value = toPlain(pickleAt(head, world).value, world, file.unread);
  tensors.finish();
  return value;
}

/** Checks what comes before the value, and returns the offset where the value begins. */
function readHead(pickleAt: (start: number) => { value: unknown; end: number }): number {
  const magic = pickleAt(0);
  if (magic.value !== magicNumber) throw new Fault('is a pickle, but torch.save did not write it');
  const version = pickleAt(magic.end);
  if (version.value !== protocolVersion)
    throw new Fault(`is of torch's protocol version ${String(version.value)}, but only ${protocolVersion} is known`);
  const machine = pickleAt(version.end);
  if (!(machine.value instanceof Dict)) throw new Fault('is damaged: it does not say what machine it was written on');
  if (machine.value.get('little_endian') !== true) {
    throw new Fault('was written on a big-endian machine; load and save it again on a little-endian one');
  }
  return machine.end;
}

/** Makes placeholders instead of tensors. */
const standIns: TensorMaker = {
  make: () => standIn,
  fromArray: () => standIn,
  isTensor: (value) => value === standIn,
  setRequiresGrad: () => undefined,
};
const standIn = {};

function locateStorages(
  file: FileBytes,
  start: number,
  keys: unknown,
  sizes: ReadonlyMap<string, { bytes: number; elementBytes: number }>,
): Map<string, Extent> {
  if (!Array.isArray(keys)) throw new Fault('is damaged: it does not list its storages');
  const extents = new Map<string, Extent>();
  let at = start;
  for (const key of keys as unknown[]) {
    const size = typeof key === 'string' ? sizes.get(key) : undefined;
    if (size === undefined || extents.has(key as string))
      throw new Fault('is damaged: it lists a storage that no tensor uses, or one twice');
    const count = file.read(at, 8).readBigInt64LE();
    if (count * BigInt(size.elementBytes) !== BigInt(size.bytes)) {
      throw new Fault(
        `is damaged: its storage ${shown(key as string)} has ${count} elements where its pickle ` +
          `says ${size.bytes / size.elementBytes}`,
      );
    }
    if (at + 8 + size.bytes > file.length)
      throw new Fault('is cut short: a storage reaches past its end; copy or download it again');
    extents.set(key as string, { offset: at + 8, size: size.bytes });
    at += 8 + size.bytes;
  }
  return extents;
}
