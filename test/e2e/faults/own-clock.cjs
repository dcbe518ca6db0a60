// Loaded first into the tool's own process: what that starts keeps the machine's clock.
for (const name of Object.keys(process.env))
  if (name === 'LD_PRELOAD' || name === 'NODE_OPTIONS' || name.includes('FAKE')) delete process.env[name];
