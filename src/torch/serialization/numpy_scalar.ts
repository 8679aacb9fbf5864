import { Fault } from './fault';
import { NumpyDtype } from './handles';
import { exact } from './integers';

type Read = (view: DataView, littleEndian: boolean) => number | bigint | boolean;

const readers: Readonly<Record<string, Read>> = {
  b1: (view) => view.getUint8(0) !== 0,
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  i2: (view, little) => view.getInt16(0, little),
  u2: (view, little) => view.getUint16(0, little),
  i4: (view, little) => view.getInt32(0, little),
  u4: (view, little) => view.getUint32(0, little),
  i8: (view, little) => exact(view.getBigInt64(0, little)),
  u8: (view, little) => exact(view.getBigUint64(0, little)),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

/** The value of `numpy.float64(…)` and its like, from dtype and bytes; metrics in reference checkpoints are often such scalars. */
export function numpyScalar(dtype: unknown, content: unknown): number | bigint | boolean {
  const code = dtype instanceof NumpyDtype ? dtype.code : '';
  const known = Object.hasOwn(readers, code);
  if (!known || !(content instanceof Uint8Array) || content.length !== Number(code.slice(1))) {
    throw new Fault('holds a numpy value that is no plain number; save it again as a tensor');
  }
  return readers[code](new DataView(content.buffer, content.byteOffset), (dtype as NumpyDtype).littleEndian);
}
