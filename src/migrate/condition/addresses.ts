// The addresses on which a server is to listen, and who holds them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, PortHolder } from '../../core/host.ts';
import { canonicalAddress } from '../../core/proc-net.ts';
import { isTrue } from '../is-true.ts';
import type { AddressCondition } from '../model/condition.ts';
import type { Config } from '../model/inventory.ts';
import { type ListenRule, migrationRules } from '../rules/migration-rules.ts';

export interface Endpoint {
  /** undefined: every address, or a name, of which only the daemon knows what it stands for. */
  readonly address: string | undefined;
  readonly port: number;
}

/** As CanonicalNetworkAddress of both projects reads it (internal/util/network.go). */
export function endpointOf(value: string, defaultPort: number): Endpoint {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(value) ?? [];
  // More than one colon and no brackets: an IPv6 address without a port.
  const host = bracketed ?? plain ?? value;
  const address = canonicalAddress(host);
  const isAny = ['', '*', '::', '0.0.0.0'].includes(address);
  const isAddress = address.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(address);
  return {
    address: isAny || !isAddress ? undefined : address,
    port: port === undefined || port === '' ? defaultPort : Number(port),
  };
}

/** @param daemon its process; undefined where it does not run */
export function addressConditions(
  host: Host,
  config: Config,
  daemon: number | undefined,
  dataDirectory: string,
): AddressCondition[] {
  const rules = migrationRules().listens.filter(({ key, only_with: needed = [] }) =>
    [key, ...needed].every((one) => !['', '0'].includes(config[one] ?? '')),
  );
  const sockets = rules.filter(({ socket }) => socket !== undefined && isTrue(config['core.syslog_socket']));
  const withPort = rules.filter(({ socket }) => socket === undefined);
  const ports = withPort.length === 0 ? [] : host.ports();
  return [
    ...withPort.map((rule): AddressCondition => {
      const value = config[rule.key] ?? '';
      return {
        key: rule.key,
        value,
        ...holderOf(host, ports, endpointOf(value, rule.port ?? 0), rule, daemon),
      };
    }),
    ...sockets.map(({ key, socket = '' }): AddressCondition => {
      const path = join(dataDirectory, socket);
      const held = daemon !== undefined && isBound(host, path);
      return { key, value: path, holder: held ? 'daemon' : 'nobody', who: '' };
    }),
  ];
}

function holderOf(
  host: Host,
  ports: readonly PortHolder[],
  { address, port }: Endpoint,
  { protocols = ['tcp'] }: ListenRule,
  daemon: number | undefined,
): Pick<AddressCondition, 'holder' | 'who'> {
  const isAny = (one: string): boolean => one === '::' || one === '0.0.0.0';
  const held = protocols.map((protocol) => {
    const there = ports.filter(
      (one) =>
        one.protocol === protocol &&
        one.port === port &&
        (address === undefined || one.address === address || isAny(one.address)),
    );
    const own = there.find(({ pid }) => daemon !== undefined && pid === daemon);
    return own ?? there[0];
  });
  // Who is not root sees the processes of nobody else.
  const mayBeOurs = (pid: number | undefined): boolean => pid === undefined && host.userId() !== 0;
  const other = held.find(
    (one) => one !== undefined && (daemon === undefined || one.pid !== daemon) && !mayBeOurs(one.pid),
  );
  if (other !== undefined) return { holder: 'other', who: nameOf(host, other.pid) };
  const isAll = held.every((one) => one !== undefined && daemon !== undefined && one.pid === daemon);
  return { holder: isAll ? 'daemon' : 'nobody', who: '' };
}

function nameOf(host: Host, pid: number | undefined): string {
  if (pid === undefined) return 'a process that could not be found';
  const found = host.processes().find((one) => one.pid === pid);
  return `process ${pid}${found === undefined ? '' : ` (${found.argv.join(' ').slice(0, 60)})`}`;
}

/** Whether a unix socket of any type stands at a path. */
export function isBound(host: Host, path: string): boolean {
  try {
    return readFileSync(host.path('/proc/net/unix'), 'utf8')
      .split('\n')
      .some((line) => line.endsWith(` ${path}`));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
