import { readdirSync, readFileSync } from 'node:fs';

/** Whether there is a process of this id that has not ended. */
export function running(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The processes, by id, that were started with these variables in their environment. */
export const processesWith = (variables: Record<string, string>): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const environment = environmentOf(pid);
      return (
        Object.entries(variables).every(([name, value]) => environment.includes(`${name}=${value}`)) && running(pid)
      );
    });

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
