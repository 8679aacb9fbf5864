import { lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';

import ipaddr from 'ipaddr.js';

/** Says that a server may not be asked: its address is not public. */
export class PrivateAddress extends Error {}

/**
 * Whether an address belongs to a public host. Private, loopback, link-local, multicast and reserved addresses are not
 * public; nor are those of IPv6 that stand for such an address of IPv4: mapped, NAT64, 6to4 and Teredo.
 */
export function isPublic(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.process(address.split('%', 1)[0]); // an IPv4-mapped address becomes that of IPv4
  if (parsed.kind() === 'ipv4') return parsed.range() === 'unicast';
  const { parts } = parsed as ipaddr.IPv6;
  if (parsed.range() === 'rfc6052') return parts[2] === 0 && isPublic(embedded(parts)); // NAT64, 64:ff9b::/96
  return parsed.range() === 'unicast' && parts[0] >> 13 === 1; // only 2000::/3 is given to hosts
}

const embedded = (parts: readonly number[]): string =>
  parts
    .slice(6)
    .flatMap((part) => [part >> 8, part & 0xff])
    .join('.');

/**
 * Refuses a host that is written as an address which is not public. Names are checked when they are resolved.
 * @throws PrivateAddress
 */
export function checkHost(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) > 0 && !isPublic(address)) throw new PrivateAddress(refusal(address));
}

const refusal = (address: string): string => `its address ${address} is not public, which --allow_private allows`;

const KEPT = 10_000; // hosts
const KEPT_FOR = 60_000; // milliseconds

/** Resolves names for connections, and keeps the answers for a minute. */
export class Names {
  private readonly kept = new Map<string, { addresses: Promise<string[]>; until: number }>();
  private readonly resolver = new Resolver({ timeout: 3000, tries: 2 });

  /** @param allowPrivate whether a name may have an address that is not public */
  constructor(private readonly allowPrivate: boolean) {}

  /**
   * The `lookup` of a connection. What it returns is what is connected to, so that no second answer of a name server
   * can lead elsewhere.
   */
  readonly lookup: LookupFunction = (name, options, callback) => {
    this.resolve(name).then(
      (addresses) => {
        const usable = this.allowPrivate ? addresses : addresses.filter(isPublic);
        if (usable.length === 0) return callback(new PrivateAddress(refusal(addresses[0] ?? name)), '', 0);
        if (options.all) callback(null, usable.map(withFamily));
        else callback(null, usable[0], isIP(usable[0]));
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };

  private resolve(name: string): Promise<string[]> {
    const now = performance.now();
    const known = this.kept.get(name);
    if (known !== undefined && known.until > now) return known.addresses;
    const addresses = this.ask(name);
    this.kept.delete(name);
    this.kept.set(name, { addresses, until: now + KEPT_FOR });
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value!);
    addresses.catch(({ code }: NodeJS.ErrnoException) => {
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') this.kept.delete(name); // another attempt may succeed
    });
    return addresses;
  }

  /**
   * Asks the name servers without a thread. Only names without a dot, such as localhost, and those of private mirrors
   * go to the system, whose few threads would wait for each dead name.
   */
  private async ask(name: string): Promise<string[]> {
    if (this.allowPrivate || !name.replace(/\.$/, '').includes('.')) return askSystem(name);
    try {
      return await this.resolver.resolve4(name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') return askSystem(name); // there is no name server
      if (code !== 'ENODATA') throw error;
      return this.resolver.resolve6(name);
    }
  }
}

const withFamily = (address: string): { address: string; family: number } => ({ address, family: isIP(address) });

const askSystem = (name: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, found) =>
      error ? reject(error) : resolve(found.map(({ address }) => address)),
    );
  });
