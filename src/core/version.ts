// The version of both programs, from package.json at build.

/** Set by the build (src/dev/build.mjs). */
declare const TOOL_VERSION: string;

export const toolVersion = typeof TOOL_VERSION === 'undefined' ? '0.0.0-development' : TOOL_VERSION;
