// GitHub's names of repositories, which are the same whatever their capitals.

/** Whether two names `owner/name` mean one repository. */
export function isSameRepository(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
