// Lines that no pattern is tried on.

/**
 * Characters. Nobody writes longer ones by hand, and the time that a pattern of quotes or words takes on one can grow with the
 * square of its length.
 */
export const longestLine = 5_000;
