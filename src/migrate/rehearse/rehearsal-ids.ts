// Ids of the findings that only a rehearsal gives: they can be answered before it was made.

export const rehearsalIds = [
  'rehearsal-not-possible',
  'rehearsal:differs',
  'rehearsal:duplicate-keys',
  'rehearsal:integrity',
  'rehearsal:references',
  'rehearsal:refused',
  'rehearsal:schema',
  'rehearsal:statements',
  'rehearsal:storage-driver',
  'rehearsal:version',
] as const;
