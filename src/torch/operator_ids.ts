import { addon } from './addon';

const ids = new Map<string, number>();

/** @internal The id of an operator's name, or -1. */
export function operatorId(name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    id = addon().findOperator(name);
    ids.set(name, id);
  }
  return id;
}
