// A small server as a SQLite image: the tables of global schema 60 that a test needs, and a few rows.
import Database from 'better-sqlite3';

const tables = `
CREATE TABLE schema (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, updated_at DATETIME);
CREATE TABLE config (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT);
CREATE TABLE nodes (id INTEGER PRIMARY KEY, name TEXT, description TEXT, address TEXT, schema INTEGER, api_extensions INTEGER, arch INTEGER, failure_domain_id INTEGER);
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT, description TEXT);
CREATE TABLE projects_config (id INTEGER PRIMARY KEY, project_id INTEGER, key TEXT, value TEXT);
CREATE TABLE profiles (id INTEGER PRIMARY KEY, name TEXT, description TEXT, project_id INTEGER);
CREATE TABLE profiles_config (id INTEGER PRIMARY KEY, profile_id INTEGER, key TEXT, value TEXT);
CREATE TABLE profiles_devices (id INTEGER PRIMARY KEY, profile_id INTEGER, name TEXT, type INTEGER);
CREATE TABLE profiles_devices_config (id INTEGER PRIMARY KEY, profile_device_id INTEGER, key TEXT, value TEXT);
CREATE TABLE instances (id INTEGER PRIMARY KEY, node_id INTEGER, name TEXT, architecture INTEGER, type INTEGER, ephemeral INTEGER, creation_date DATETIME, stateful INTEGER, last_use_date DATETIME, description TEXT, project_id INTEGER, expiry_date DATETIME);
CREATE TABLE instances_config (id INTEGER PRIMARY KEY, instance_id INTEGER, key TEXT, value TEXT);
CREATE TABLE instances_devices (id INTEGER PRIMARY KEY, instance_id INTEGER, name TEXT, type INTEGER);
CREATE TABLE instances_devices_config (id INTEGER PRIMARY KEY, instance_device_id INTEGER, key TEXT, value TEXT);
CREATE TABLE instances_profiles (id INTEGER PRIMARY KEY, instance_id INTEGER, profile_id INTEGER, apply_order INTEGER);
CREATE TABLE instances_snapshots (id INTEGER PRIMARY KEY, instance_id INTEGER, name TEXT, creation_date DATETIME, stateful INTEGER, description TEXT, expiry_date DATETIME);
CREATE TABLE instances_snapshots_config (id INTEGER PRIMARY KEY, instance_snapshot_id INTEGER, key TEXT, value TEXT);
CREATE TABLE instances_backups (id INTEGER PRIMARY KEY, instance_id INTEGER, name TEXT, creation_date DATETIME, expiry_date DATETIME, container_only INTEGER, optimized_storage INTEGER);
CREATE TABLE storage_pools (id INTEGER PRIMARY KEY, name TEXT, driver TEXT, description TEXT, state INTEGER);
CREATE TABLE storage_pools_config (id INTEGER PRIMARY KEY, storage_pool_id INTEGER, node_id INTEGER, key TEXT, value TEXT);
CREATE TABLE storage_pools_nodes (id INTEGER PRIMARY KEY, storage_pool_id INTEGER, node_id INTEGER, state INTEGER);
CREATE TABLE storage_volumes (id INTEGER PRIMARY KEY, name TEXT, storage_pool_id INTEGER, node_id INTEGER, type INTEGER, description TEXT, project_id INTEGER, content_type INTEGER);
CREATE TABLE storage_volumes_config (id INTEGER PRIMARY KEY, storage_volume_id INTEGER, key TEXT, value TEXT);
CREATE TABLE storage_volumes_snapshots (id INTEGER PRIMARY KEY, storage_volume_id INTEGER, name TEXT, description TEXT, expiry_date DATETIME);
CREATE TABLE networks (id INTEGER PRIMARY KEY, project_id INTEGER, name TEXT, description TEXT, state INTEGER, type INTEGER);
CREATE TABLE networks_config (id INTEGER PRIMARY KEY, network_id INTEGER, node_id INTEGER, key TEXT, value TEXT);
CREATE TABLE networks_nodes (id INTEGER PRIMARY KEY, network_id INTEGER, node_id INTEGER, state INTEGER);
CREATE TABLE networks_acls (id INTEGER PRIMARY KEY, project_id INTEGER, name TEXT, description TEXT, ingress TEXT, egress TEXT);
CREATE TABLE networks_forwards (id INTEGER PRIMARY KEY, network_id INTEGER, node_id INTEGER, listen_address TEXT, description TEXT, ports TEXT);
CREATE TABLE networks_forwards_config (id INTEGER PRIMARY KEY, network_forward_id INTEGER, key TEXT, value TEXT);
CREATE TABLE networks_zones (id INTEGER PRIMARY KEY, project_id INTEGER, name TEXT, description TEXT);
CREATE TABLE networks_zones_records (id INTEGER PRIMARY KEY, network_zone_id INTEGER, name TEXT, description TEXT, entries TEXT);
CREATE TABLE networks_peers (id INTEGER PRIMARY KEY, network_id INTEGER, name TEXT, description TEXT, target_network_project TEXT, target_network_name TEXT, target_network_id INTEGER);
CREATE TABLE images (id INTEGER PRIMARY KEY, fingerprint TEXT, filename TEXT, size INTEGER, public INTEGER, architecture INTEGER, creation_date DATETIME, expiry_date DATETIME, upload_date DATETIME, cached INTEGER, last_use_date DATETIME, auto_update INTEGER, project_id INTEGER, type INTEGER);
CREATE TABLE images_properties (id INTEGER PRIMARY KEY, image_id INTEGER, type INTEGER, key TEXT, value TEXT);
CREATE TABLE images_aliases (id INTEGER PRIMARY KEY, name TEXT, image_id INTEGER, description TEXT, project_id INTEGER);
CREATE TABLE images_source (id INTEGER PRIMARY KEY, image_id INTEGER, server TEXT, protocol INTEGER, certificate TEXT, alias TEXT);
CREATE TABLE certificates (id INTEGER PRIMARY KEY, fingerprint TEXT, type INTEGER, name TEXT, certificate TEXT, restricted INTEGER);
CREATE TABLE certificates_projects (certificate_id INTEGER, project_id INTEGER);
CREATE TABLE operations (id INTEGER PRIMARY KEY, uuid TEXT);
CREATE TABLE warnings (id INTEGER PRIMARY KEY, uuid TEXT);
`;

const rows = `
INSERT INTO schema VALUES (1, 60, 1795447407);
INSERT INTO config VALUES (1, 'images.auto_update_interval', '0'), (2, 'core.trust_password', 'hunter2');
INSERT INTO nodes VALUES (1, 'none', '', '0.0.0.0', 60, 318, 2, NULL);
INSERT INTO projects VALUES (1, 'default', 'Default LXD project'), (2, 'dev', '');
INSERT INTO projects_config VALUES (1, 1, 'features.networks', 'true'), (2, 2, 'features.profiles', 'false');
INSERT INTO profiles VALUES (1, 'default', 'Default LXD profile', 1), (2, 'web', '', 1);
INSERT INTO profiles_config VALUES (1, 2, 'limits.memory', '256MiB'), (2, 2, 'user.note', 'it''s ünïcode');
INSERT INTO profiles_devices VALUES (1, 1, 'root', 2);
INSERT INTO profiles_devices_config VALUES (1, 1, 'path', '/'), (2, 1, 'pool', 'default'), (3, 1, 'type', 'disk');
INSERT INTO instances VALUES
  (2, 1, 'c2', 2, 0, 0, '2026-11-23 15:23:28.771395538+00:00', 0, '1970-01-01 00:00:00+00:00', '', 1, '0001-01-01 00:00:00+00:00'),
  (1, 1, 'c1', 2, 0, 0, '2026-11-23 15:23:28.261613816+00:00', 0, '2026-11-23 15:23:28.427671626+00:00', 'first', 1, '2027-01-01 00:00:00+00:00'),
  (3, 1, 'a3', 4, 1, 1, '2026-11-23 15:23:29.1+00:00', 1, NULL, '', 2, NULL);
INSERT INTO instances_config VALUES (1, 1, 'volatile.uuid', 'befe0134'), (2, 1, 'user.user-data', 'top secret'), (3, 1, 'limits.cpu', NULL);
INSERT INTO instances_devices VALUES (1, 1, 'home', 2);
INSERT INTO instances_devices_config VALUES (1, 1, 'path', '/mnt/x'), (2, 1, 'source', '/var/lib/lxd/containers');
INSERT INTO instances_profiles VALUES (1, 1, 2, 2), (2, 1, 1, 1);
INSERT INTO instances_snapshots VALUES (1, 1, 'snap0', '2026-11-23 15:23:28.889057094+00:00', 0, 'before', '0001-01-01 00:00:00+00:00');
INSERT INTO instances_snapshots_config VALUES (1, 1, 'volatile.uuid', 'befe0134');
INSERT INTO instances_backups VALUES (1, 1, 'c1/backup0', '2026-11-23 15:23:28+00:00', '0001-01-01 00:00:00+00:00', 1, 0);
INSERT INTO storage_pools VALUES (1, 'default', 'dir', '', 1);
INSERT INTO storage_pools_config VALUES (1, 1, 1, 'source', '/var/lib/lxd/storage-pools/default'), (2, 1, NULL, 'rsync.bwlimit', '1MB');
INSERT INTO storage_pools_nodes VALUES (1, 1, 1, 1);
INSERT INTO storage_volumes VALUES (1, 'c1', 1, 1, 0, '', 1, 0), (2, 'data', 1, 1, 2, 'mine', 1, 1);
INSERT INTO storage_volumes_config VALUES (1, 2, 'size', '10MiB');
INSERT INTO storage_volumes_snapshots VALUES (3, 1, 'snap0', '', NULL), (4, 2, 's0', 'kept', '2027-01-01 00:00:00+00:00');
INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0), (2, 1, 'ovn0', '', 1, 3);
INSERT INTO networks_config VALUES (1, 1, NULL, 'ipv4.address', '10.77.0.1/24');
INSERT INTO networks_nodes VALUES (1, 1, 1, 1), (2, 2, 1, 2);
INSERT INTO networks_acls VALUES (1, 1, 'web-acl', '', CAST('[{"action":"allow","protocol":"tcp","destination_port":"80","description":"","state":"enabled"}]' AS BLOB), '');
INSERT INTO networks_forwards VALUES (1, 1, 1, '10.77.0.50', '', '[{"protocol":"tcp","listen_port":"80","target_address":"10.77.0.2"}]');
INSERT INTO networks_forwards_config VALUES (1, 1, 'target_address', '10.77.0.2');
INSERT INTO networks_zones VALUES (1, 1, 'lxd.example.net', '');
INSERT INTO networks_zones_records VALUES (1, 1, 'www', '', '[{"type":"A","ttl":3600,"value":"10.0.0.1"}]');
INSERT INTO networks_peers VALUES (1, 2, 'linked', '', NULL, NULL, 1), (2, 2, 'asked', '', 'dev', 'far', NULL);
INSERT INTO images VALUES (1, 'd0c0aad8', 'img.tar.gz', 1032215, 0, 2, '2023-11-14 22:13:20+00:00', '1970-01-01 00:00:00+00:00', '2026-11-23 15:23:28.233380164+00:00', 1, NULL, 1, 1, 0);
INSERT INTO images_properties VALUES (1, 1, 0, 'os', 'busybox');
INSERT INTO images_aliases VALUES (1, 'tiny', 1, '', 1);
INSERT INTO images_source VALUES (1, 1, 'https://images.example.net', 2, '', 'tiny/1');
INSERT INTO certificates VALUES (1, '3beed192', 1, 'cli1', 'PEM', 1);
INSERT INTO certificates_projects VALUES (1, 2);
INSERT INTO warnings VALUES (1, 'a'), (2, 'b');
`;

/** The image of the small server, changed by `sql`. */
export function smallServer(sql = ''): Buffer {
  return image(`${tables}${rows}${sql}`);
}

export function image(sql: string): Buffer {
  const db = new Database(':memory:');
  try {
    db.exec(sql);
    return db.serialize();
  } finally {
    db.close();
  }
}
