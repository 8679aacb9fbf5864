import { NumpyDtype } from '../handles';
import { Inert } from './inert';
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
  f2: (view, little) => half(view.getUint16(0, little)),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

/**
 * Reads a numpy scalar, such as `numpy.float64(…)`, from its dtype and bytes. Metrics in reference checkpoints are
 * often such scalars. Strings are read too; a scalar of any other dtype becomes an {@link Inert}.
 */
export function numpyScalar(dtype: unknown, content: unknown): number | bigint | boolean | string | Inert {
  const code = dtype instanceof NumpyDtype ? dtype.code : '';
  const known = Object.hasOwn(readers, code);
  if (!(content instanceof Uint8Array) || !(dtype instanceof NumpyDtype)) return new Inert('numpy.generic', [code]);
  if (/^U\d+$/.test(code) && content.length % 4 === 0) return text(content, dtype.littleEndian);
  if (!known || content.length !== Number(code.slice(1))) return new Inert('numpy.generic', [code, content]);
  return readers[code](new DataView(content.buffer, content.byteOffset), dtype.littleEndian);
}

/** Decodes a float16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** Decodes a string of 32-bit code points, padded with zeros at the end. */
function text(content: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  let result = '';
  for (let at = 0; at < content.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    result += point > 0x10ffff ? '\ufffd' : String.fromCodePoint(point);
  }
  return result.replace(/\0+$/, '');
}
