// What verify does not look at on this server, so that nobody takes "all checks passed" for more than it says.
import { firstOf } from '../../core/text.ts';
import type { Inventory } from '../model/inventory.ts';

/** A line each; nothing that this server does not have. */
export function notLookedAt(inventory: Inventory): string[] {
  const { networks, forwards, loadBalancers, acls, instances, volumes, zones, server } = inventory;
  const line = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${what}: ${firstOf(names)}`];
  const named = ({ project, name }: { readonly project: string; readonly name: string }): string =>
    `${project}/${name}`;
  return [
    ...line(
      'what is in custom volumes',
      volumes.map(({ pool, project, name }) => `${pool}/${project}/${name}`),
    ),
    ...line(
      'what is in instances that do not run',
      instances.filter(({ status }) => status === 'Stopped').map(named),
    ),
    ...line(
      'what is in virtual machines',
      instances.filter(({ type }) => type === 'virtual-machine').map(named),
    ),
    ...line(
      'whether the outside is reached through networks of other types than bridge',
      networks.filter(({ type }) => type !== 'bridge').map(named),
    ),
    ...line(
      'firewall rules of forwards',
      [...forwards, ...loadBalancers].map(({ network, listenAddress }) => `${network}/${listenAddress}`),
    ),
    ...line('firewall rules of ACLs', acls.map(named)),
    ...line(
      'answers to questions about DNS zones',
      zones.map(({ name }) => name),
    ),
    ...line(
      'whether other servers answer',
      Object.keys(server.config).filter((key) =>
        /^(?:loki\.api\.url|logging\..*\.target\.address|oidc\.issuer|openfga\.api\.url|maas\.api\.url)$/.test(
          key,
        ),
      ),
    ),
    ...line(
      'BGP peers',
      networks
        .filter(({ config }) => Object.keys(config).some((key) => key.startsWith('bgp.peers.')))
        .map(named),
    ),
  ];
}
