// The smallest plan that a journal takes.
import type { Plan } from '../../../src/migrate/model/plan.ts';

export const tinyPlan: Plan = {
  format: 1,
  toolVersion: '0.1.0',
  madeAt: '2026-11-24T00:00:00.000Z',
  source: {
    role: 'source',
    name: 'deb',
    evidence: ['/var/lib/lxd'],
    dataDirectory: '/var/lib/lxd',
    sockets: ['/var/lib/lxd/unix.socket'],
    runtimeDirectory: undefined,
    service: { kind: 'none' },
    program: undefined,
    schema: 60,
  },
  target: undefined,
  position: { lastIndex: 1, lastTerm: 1 },
  findings: [],
  changes: [],
  localChanges: [],
  power: { running: ['default/c1'], frozen: [] },
  steps: [],
};
