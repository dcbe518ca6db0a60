// Thirty marked values in the places where people keep secrets; none may appear in what the tool prints or writes down.
import { createHash } from 'node:crypto';

export type SecretPlace =
  | 'instance-user-data'
  | 'instance-vendor-data'
  | 'instance-cloud-init-user-data'
  | 'instance-cloud-init-vendor-data'
  | 'instance-cloud-init-network-config'
  | 'instance-environment-password'
  | 'instance-environment-token'
  | 'instance-environment-plain'
  | 'instance-raw-lxc'
  | 'instance-user-key'
  | 'snapshot-user'
  | 'profile-environment'
  | 'profile-user-data'
  | 'profile-cloud-init-user-data'
  | 'profile-raw-apparmor'
  | 'profile-raw-qemu'
  | 'profile-raw-seccomp'
  | 'profile-ssh-key'
  | 'project-user-token'
  | 'pool-user-key'
  | 'volume-user-secret'
  | 'image-property-token'
  | 'network-user-password'
  | 'network-bgp-password'
  | 'network-raw-dnsmasq'
  | 'acl-user-secret'
  | 'zone-user-secret'
  | 'forward-user-secret'
  | 'server-user-token'
  | 'server-proxy-password';

/** The value that stands in this place; always the same, found nowhere else, safe in a URL and in any file format. */
export function secret(place: SecretPlace): string {
  return `SECRET${createHash('sha256').update(place).digest('hex').slice(0, 24)}`;
}

const places: Readonly<Record<SecretPlace, true>> = {
  'instance-user-data': true,
  'instance-vendor-data': true,
  'instance-cloud-init-user-data': true,
  'instance-cloud-init-vendor-data': true,
  'instance-cloud-init-network-config': true,
  'instance-environment-password': true,
  'instance-environment-token': true,
  'instance-environment-plain': true,
  'instance-raw-lxc': true,
  'instance-user-key': true,
  'snapshot-user': true,
  'profile-environment': true,
  'profile-user-data': true,
  'profile-cloud-init-user-data': true,
  'profile-raw-apparmor': true,
  'profile-raw-qemu': true,
  'profile-raw-seccomp': true,
  'profile-ssh-key': true,
  'project-user-token': true,
  'pool-user-key': true,
  'volume-user-secret': true,
  'image-property-token': true,
  'network-user-password': true,
  'network-bgp-password': true,
  'network-raw-dnsmasq': true,
  'acl-user-secret': true,
  'zone-user-secret': true,
  'forward-user-secret': true,
  'server-user-token': true,
  'server-proxy-password': true,
};

/** Every marked value of the populated server, by its place. */
export function secrets(): ReadonlyMap<SecretPlace, string> {
  return new Map((Object.keys(places) as SecretPlace[]).map((place) => [place, secret(place)]));
}
