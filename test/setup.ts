// What every unit test relies on: one seed for the properties of a run, another in each run, printed with a failure
// (`FC_SEED=… npm test` runs them with it again).
import fc from 'fast-check';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
fc.configureGlobal({ seed });
