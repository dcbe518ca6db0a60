// What every unit test relies on: a fixed seed for property tests, printed on failure, overridable.
import fc from 'fast-check';

const seed = process.env['FC_SEED'];
fc.configureGlobal(seed === undefined ? {} : { seed: Number(seed) });
