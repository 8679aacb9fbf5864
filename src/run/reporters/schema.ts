import { join } from 'node:path';

import { Root } from 'protobufjs';

const schemas = new Map<string, Root>();

/**
 * Encodes a message of protobuf.
 * @param file name of the schema in data/reports/
 * @param type full name of the message
 */
export const encodeMessage = (file: string, type: string, message: object): Uint8Array =>
  schema(file).lookupType(type).encode(message).finish();

/**
 * Decodes a message of protobuf; what the schema lacks is left out.
 * @throws Error for bytes that are none
 */
export function decodeMessage(file: string, type: string, bytes: Uint8Array): Record<string, unknown> {
  const found = schema(file).lookupType(type);
  return found.toObject(found.decode(bytes), { longs: Number });
}

/** Loads a schema, once. */
function schema(file: string): Root {
  let root = schemas.get(file);
  if (root === undefined) {
    root = new Root().loadSync(join(__dirname, '../../../data/reports', file), { keepCase: true });
    schemas.set(file, root);
  }
  return root;
}
