// Two threads that open the same workshop: each makes half of what both need and sends it to the other.

export interface Partner {
  /** 0 began, 1 helps; each part of the work belongs to one of the two. */
  readonly role: 0 | 1;
  send(name: string, value: unknown): void;
  receive(name: string): Promise<unknown>;
}

/** Made here or by the partner, whoever it belongs to; alone, everything is made here. */
export async function share<T>(
  partner: Partner | undefined,
  owner: 0 | 1,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  // What comes back is a copy of what the very same code made in the other thread.
  if (partner !== undefined && partner.role !== owner) return (await partner.receive(name)) as T;
  const made = await make();
  partner?.send(name, made);
  return made;
}

export interface Mailbox {
  readonly partner: Partner;
  /** A value that the other thread sent. */
  deliver(name: string, value: unknown): void;
  /** Nothing more will come: whoever waits gets the error. */
  fail(error: unknown): void;
}

/** What waits for the other thread; `post` carries values over there. */
export function openMailbox(role: 0 | 1, post: (name: string, value: unknown) => void): Mailbox {
  const arrived = new Map<string, PromiseWithResolvers<unknown>>();
  let failure: { readonly error: unknown } | undefined;
  const slot = (name: string): PromiseWithResolvers<unknown> => {
    const known = arrived.get(name);
    if (known !== undefined) return known;
    const made = Promise.withResolvers<unknown>();
    // Whether anybody waits for it is decided later.
    made.promise.catch(() => {});
    if (failure !== undefined) made.reject(failure.error);
    arrived.set(name, made);
    return made;
  };
  return {
    partner: {
      role,
      send: post,
      async receive(name) {
        try {
          return await slot(name).promise;
        } finally {
          arrived.delete(name);
        }
      },
    },
    deliver: (name, value) => slot(name).resolve(value),
    fail(error) {
      failure ??= { error };
      for (const waiting of arrived.values()) waiting.reject(error);
    },
  };
}
