// How much of two texts is the same at their beginning and at their end, in whole lines.

export interface CommonEnds {
  /** Characters at the beginning; what follows them begins a line in both. */
  readonly start: number;
  /** Characters at the end; they begin a line in both, and none of them is among those at the beginning. */
  readonly end: number;
}

const blockLength = 2048;

/** The whole lines that two texts have in common at both ends; the last piece counts as a line. */
export function commonEnds(left: string, right: string): CommonEnds {
  const shorter = Math.min(left.length, right.length);
  let same = 0;
  while (
    same + blockLength <= shorter &&
    left.slice(same, same + blockLength) === right.slice(same, same + blockLength)
  )
    same += blockLength;
  while (same < shorter && left.charCodeAt(same) === right.charCodeAt(same)) same += 1;
  const start = same === 0 ? 0 : left.lastIndexOf('\n', same - 1) + 1;
  const room = shorter - start;
  const [leftEnd, rightEnd] = [left.length, right.length];
  let tail = 0;
  while (
    tail + blockLength <= room &&
    left.slice(leftEnd - tail - blockLength, leftEnd - tail) ===
      right.slice(rightEnd - tail - blockLength, rightEnd - tail)
  )
    tail += blockLength;
  while (tail < room && left.charCodeAt(leftEnd - tail - 1) === right.charCodeAt(rightEnd - tail - 1))
    tail += 1;
  const lineEnd = left.indexOf('\n', leftEnd - tail);
  return { start, end: tail === 0 || lineEnd < 0 ? 0 : leftEnd - lineEnd - 1 };
}
