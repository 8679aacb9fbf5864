import { Fault } from '../fault';
import type { CheckpointFile } from '../file_bytes';
import { scriptGlobal, scriptStateDict } from '../formats/script';
import { toPlain } from '../pickle/plain';
import { PickleReader } from '../pickle/reader';
import { RecordTensors } from '../record_tensors';
import { allowance, checkpointWorld } from '../world';
import { ZipReader } from './reader';

/** The most bytes of TorchScript source read per archive. The archives of OpenAI have about one MB. */
const maxSource = 64 * 2 ** 20;

/**
 * Reads the zip format of `torch.save`: `<root>/data.pkl`, and a record `<root>/data/<key>` for each storage. A file
 * that also has `constants.pkl` is a TorchScript archive, whose pickle holds modules. It gives the state dict of these,
 * as `torch.jit.load(path).state_dict()` does.
 */
export function readZip(file: CheckpointFile): unknown {
  const zip = new ZipReader(file.bytes);
  const root = archiveRoot(zip);
  if (zip.has(`${root}byteorder`) && zip.read(`${root}byteorder`).toString('latin1') !== 'little') {
    throw new Fault('was written on a big-endian machine; load and save it again on a little-endian one');
  }
  const pickle = zip.read(`${root}data.pkl`);
  using tensors = new RecordTensors(file, (key) => zip.locate(`${root}data/${key}`));

  if (!zip.has(`${root}constants.pkl`)) {
    const world = checkpointWorld(tensors, pickle.length);
    const value = toPlain(new PickleReader(pickle, world).read(), world, file.unread);
    tensors.finish();
    return value;
  }
  const spend = allowance(maxSource);
  const sourceOf = (name: string): string =>
    zip.has(`${root}code/${name}`) ? zip.inflate(`${root}code/${name}`, spend).toString('utf8') : '';
  const stateDict = scriptStateDict(
    new PickleReader(pickle, checkpointWorld(tensors, pickle.length, scriptGlobal)).read(),
    tensors,
    sourceOf,
    allowance(pickle.length),
  );
  tensors.finish(new Set(Object.values(stateDict)));
  return stateDict;
}

/** Returns the folder inside the zip that holds all records, with its slash. */
function archiveRoot(zip: ZipReader): string {
  const pickleName = zip.names.find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined) throw new Fault('is a zip file but not a checkpoint: it has no record data.pkl');
  return pickleName.slice(0, -'data.pkl'.length);
}
