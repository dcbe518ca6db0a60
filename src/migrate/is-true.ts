// Truth of a configuration value, as both daemons read it (shared/util, IsTrue).

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['true', '1', 'yes', 'on'].includes(value.toLowerCase());
}
