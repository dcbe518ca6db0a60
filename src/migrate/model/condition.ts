// How the parts of a server are, whether that is as it should be or not: what it is compared with once it has moved.
import * as z from 'zod';

const pool = z.object({
  name: z.string(),
  /** The daemon's own word: `Created`, `Unavailable`, `Pending`, `Errored`, `Unknown`; null: nobody could say. */
  status: z.string().nullable(),
});

const network = z.object({ project: z.string(), name: z.string(), status: z.string().nullable() });

const instance = z.object({ project: z.string(), name: z.string(), status: z.string() });

const address = z.object({
  /** The key of the server's configuration. */
  key: z.string(),
  value: z.string(),
  /** `nobody` also where the daemon does not run. */
  holder: z.enum(['daemon', 'nobody', 'other']),
  /** Of another holder: its process. */
  who: z.string(),
});

const image = z.object({
  fingerprint: z.string(),
  /** In the words of a person. */
  problem: z.string(),
});

export const conditionSchema = z.object({
  /** Whether the daemon itself was asked; otherwise its files told what they can. */
  asked: z.boolean(),
  pools: z.array(pool).readonly(),
  networks: z.array(network).readonly(),
  /** Only those in a state that is none of running, frozen and stopped. */
  instances: z.array(instance).readonly(),
  addresses: z.array(address).readonly(),
  /** Only images whose files are not as the database has them. */
  images: z.array(image).readonly(),
});

export type Condition = z.infer<typeof conditionSchema>;
export type AddressCondition = z.infer<typeof address>;
export type ImageCondition = z.infer<typeof image>;
