// A seeded mutator of Buffers for the fuzz harnesses: the same seed and number give the same bytes on every machine.
const { crc32 } = require('node:zlib');

const bytes8 = [
  0, 1, 2, 4, 7, 8, 10, 13, 16, 31, 32, 33, 34, 40, 46, 47, 48, 57, 63, 64, 65, 91, 93, 100, 123, 125, 126, 127, 128,
  129, 254, 255,
];
const wide = [
  0n,
  1n,
  2n,
  3n,
  4n,
  7n,
  8n,
  16n,
  64n,
  100n,
  127n,
  128n,
  255n,
  256n,
  1000n,
  4096n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  10n ** 6n,
  2n ** 24n,
  2n ** 30n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** A copy with an integer of 1, 2, 4 or 8 bytes at `at`, of either byte order. */
function withNumber(buffer, at, size, value, little) {
  const copy = Buffer.from(buffer);
  for (let i = 0; i < size && at + i < copy.length; i++) {
    const shift = BigInt(8 * (little ? i : size - 1 - i));
    copy[at + i] = Number((value >> shift) & 255n);
  }
  return copy;
}

function numberAt(buffer, at, size, little) {
  let value = 0n;
  for (let i = 0; i < size; i++) value |= BigInt(buffer[at + i] ?? 0) << BigInt(8 * (little ? i : size - 1 - i));
  return value;
}

/** Each takes (buffer, draw, others) and returns a changed copy. */
const operations = {
  flipBit(buffer, draw) {
    const copy = Buffer.from(buffer);
    copy[draw.below(copy.length)] ^= 1 << draw.below(8);
    return copy;
  },
  setByte(buffer, draw) {
    const copy = Buffer.from(buffer);
    copy[draw.below(copy.length)] = draw.chance(0.5) ? draw.pick(bytes8) : draw.below(256);
    return copy;
  },
  setNumber(buffer, draw) {
    const size = draw.pick([2, 4, 8]);
    return withNumber(buffer, draw.below(buffer.length - size), size, draw.pick(wide), draw.chance(0.5));
  },
  /** A length, count or offset that is there, a little off or on another scale. */
  nudgeNumber(buffer, draw) {
    const size = draw.pick([1, 2, 4, 8]);
    const at = draw.below(buffer.length - size);
    const little = draw.chance(0.7);
    const value = numberAt(buffer, at, size, little);
    const changed = draw.pick([
      value + 1n,
      value - 1n,
      value * 2n,
      value / 2n,
      -value,
      value + 8n,
      value << 8n,
      value + BigInt(buffer.length),
    ]);
    return withNumber(buffer, at, size, BigInt.asUintN(64, changed), little);
  },
  cutEnd: (buffer, draw) => buffer.subarray(0, draw.below(buffer.length)),
  cutOut(buffer, draw) {
    const at = draw.below(buffer.length);
    const size = 1 + draw.below(draw.chance(0.7) ? 8 : buffer.length - at);
    return Buffer.concat([buffer.subarray(0, at), buffer.subarray(at + size)]);
  },
  insert(buffer, draw) {
    const at = draw.below(buffer.length + 1);
    const added = Buffer.from(
      Array.from({ length: 1 + draw.below(16) }, () => (draw.chance(0.5) ? draw.pick(bytes8) : draw.below(256))),
    );
    return Buffer.concat([buffer.subarray(0, at), added, buffer.subarray(at)]);
  },
  duplicate(buffer, draw) {
    const from = draw.below(buffer.length);
    const piece = buffer.subarray(from, from + 1 + draw.below(draw.chance(0.7) ? 64 : buffer.length - from));
    const at = draw.chance(0.5) ? from : draw.below(buffer.length + 1);
    return Buffer.concat([buffer.subarray(0, at), piece, buffer.subarray(at)]);
  },
  /** A piece of another file, or of another place of this one, over what is there. */
  splice(buffer, draw, others) {
    const source = others.length > 0 ? draw.pick(others) : buffer;
    const from = draw.below(source.length);
    const piece = source.subarray(from, from + 1 + draw.below(draw.chance(0.7) ? 64 : source.length - from));
    const at = draw.below(buffer.length);
    const kept = draw.chance(0.7) ? at + piece.length : at + draw.below(buffer.length - at);
    return Buffer.concat([buffer.subarray(0, at), piece, buffer.subarray(kept)]);
  },
  fill(buffer, draw) {
    const at = draw.below(buffer.length);
    return Buffer.from(buffer).fill(draw.pick(bytes8), at, Math.min(buffer.length, at + 1 + draw.below(32)));
  },
  /** A number written in digits, as in JSON and in headers of text. */
  digits(buffer, draw) {
    const text = buffer.toString('latin1', 0, Math.min(buffer.length, 65536));
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return operations.setByte(buffer, draw);
    const { index, 0: digits } = draw.pick(numbers);
    const value = draw.chance(0.3)
      ? draw.pick(['-1', '1.0', '1e0', '-0', '1e308', '0x10', '', 'null', '""', '[]'])
      : String(draw.pick(wide));
    return Buffer.concat([buffer.subarray(0, index), Buffer.from(value), buffer.subarray(index + digits.length)]);
  },
};
const names = Object.keys(operations);

/**
 * A changed copy of a file: one to `most` operations one after another.
 * @param {Buffer} buffer the file
 * @param {ReturnType<typeof import('./draws').draws>} draw
 * @param {{others?: Buffer[], most?: number}} [options] files to splice pieces of; most operations, default 6
 * @returns {{bytes: Buffer, did: string[]}} the bytes, and the names of the operations
 */
function mutate(buffer, draw, { others = [], most = 6 } = {}) {
  const did = [];
  let bytes = buffer;
  for (let left = 1 + (draw.chance(0.5) ? 0 : draw.below(most)); left > 0 && bytes.length > 0; left--) {
    const name = draw.pick(names);
    did.push(name);
    bytes = operations[name](bytes, draw, others);
  }
  return { bytes, did };
}

const oddValues = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  0.5,
  7,
  64,
  1e5,
  2 ** 31,
  2 ** 53,
  1e308,
  '',
  'clip',
  '0',
  '../x',
  '__proto__',
  [],
  {},
  [[]],
  [1, 2, 3, 4],
  ['a'],
];

/** A changed copy of a JSON file that is JSON still: values replaced, left out, or put under other keys. */
function mutateJson(buffer, draw) {
  const json = JSON.parse(buffer);
  const did = [];
  for (let left = 1 + (draw.chance(0.5) ? 0 : draw.below(4)); left > 0; left--) {
    let place = json;
    for (;;) {
      const below = Object.values(place).filter(
        (value) => typeof value === 'object' && value !== null && Object.keys(value).length > 0,
      );
      if (below.length === 0 || draw.chance(0.3)) break;
      place = draw.pick(below);
    }
    const key = draw.pick(Object.keys(place));
    const name = draw.pick(['replace', 'replace', 'drop', 'scale', 'rename']);
    did.push(`${name} ${key}`);
    if (name === 'replace') place[key] = structuredClone(draw.pick(oddValues));
    else if (name === 'scale' && typeof place[key] === 'number') place[key] *= draw.pick([-1, 0.5, 2, 3, 64, 1e6]);
    else {
      const value = place[key];
      delete place[key];
      if (name === 'rename') place[draw.pick(Object.keys(place)) ?? key] = value;
    }
    if (Object.keys(json).length === 0) break;
  }
  return { bytes: Buffer.from(JSON.stringify(json)), did };
}

/**
 * Writes the CRC-32 of its bytes behind each stored entry of a zip file again, in the local header and in the
 * directory, so that a mutation of the content is not merely refused for its checksum. What is no zip file any longer
 * comes back unchanged.
 */
function repairZip(buffer) {
  const copy = Buffer.from(buffer);
  const end = copy.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + 22 > copy.length) return copy;
  let at = copy.readUInt32LE(end + 16);
  if (at === 0xffffffff) at = copy.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
  while (at >= 0 && at + 46 <= copy.length && copy.readUInt32LE(at) === 0x02014b50) {
    const [method, stored, local] = [
      copy.readUInt16LE(at + 10),
      copy.readUInt32LE(at + 20),
      copy.readUInt32LE(at + 42),
    ];
    if (method === 0 && local + 30 <= copy.length && copy.readUInt32LE(local) === 0x04034b50) {
      const data = local + 30 + copy.readUInt16LE(local + 26) + copy.readUInt16LE(local + 28);
      const crc = crc32(copy.subarray(data, data + stored));
      copy.writeUInt32LE(crc, at + 16);
      copy.writeUInt32LE(crc, local + 14);
    }
    at += 46 + copy.readUInt16LE(at + 28) + copy.readUInt16LE(at + 30) + copy.readUInt16LE(at + 32);
  }
  return copy;
}

/**
 * The stored entries of a zip file as [start, end] in it: to mutate what lies within one, as its length stays.
 * @returns {{name: string, start: number, end: number}[]}
 */
function zipEntries(buffer) {
  const entries = [];
  for (let at = 0; (at = buffer.indexOf('PK\x01\x02', at, 'latin1')) >= 0 && at + 46 <= buffer.length; at += 46) {
    const nameSize = buffer.readUInt16LE(at + 28);
    const local = buffer.readUInt32LE(at + 42);
    if (local + 30 > buffer.length) continue;
    const start = local + 30 + buffer.readUInt16LE(local + 26) + buffer.readUInt16LE(local + 28);
    entries.push({
      name: buffer.toString('utf8', at + 46, at + 46 + nameSize),
      start,
      end: start + buffer.readUInt32LE(at + 20),
    });
  }
  return entries;
}

module.exports = { mutate, mutateJson, repairZip, zipEntries, operations };
