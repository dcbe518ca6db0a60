// A client of the server outside of the machine's root: a certificate that is trusted and logs in over HTTPS.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Machine } from '../machine/machine.ts';

export const httpsAddress = '127.0.0.1:9443';

const clientFolder = '/root/e2e-client';

export interface Login {
  /** Whether the server knows this client. */
  readonly trusted: boolean;
  /** Of the server's own certificate: clients have pinned it. */
  readonly serverFingerprint: string;
  readonly product: string;
}

/** Makes a key and a self-signed certificate in the machine; returns the certificate as base64 of its DER. */
export async function makeClientCertificate(machine: Machine, name: string): Promise<string> {
  await machine.exec(['mkdir', '-p', clientFolder]);
  await machine.exec([
    ...(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] as const),
    ...['-nodes', '-days', '3650', '-subj', `/CN=${name}`],
    ...['-keyout', `${clientFolder}/${name}.key`, '-out', `${clientFolder}/${name}.crt`],
  ]);
  const pem = readFileSync(machine.rootPath(`${clientFolder}/${name}.crt`));
  return new X509Certificate(pem).raw.toString('base64');
}

/** Asks the server over HTTPS with the certificate that was made under this name. */
export async function loginOverHttps(machine: Machine, name: string): Promise<Login> {
  const answer = await machine.exec([
    ...(['curl', '--silent', '--show-error', '--insecure', '--max-time', '30'] as const),
    ...['--cert', `${clientFolder}/${name}.crt`, '--key', `${clientFolder}/${name}.key`],
    `https://${httpsAddress}/1.0`,
  ]);
  const { metadata } = JSON.parse(answer.stdout) as {
    metadata: { auth: string; environment?: { server: string; certificate_fingerprint: string } };
  };
  return {
    trusted: metadata.auth === 'trusted',
    serverFingerprint: metadata.environment?.certificate_fingerprint ?? '',
    product: metadata.environment?.server ?? '',
  };
}
