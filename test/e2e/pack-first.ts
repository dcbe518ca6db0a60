// Packs the tool before the workers start, which then find it in their environment.
import { packedTool } from './packed-tool.ts';

export async function setup(): Promise<void> {
  await packedTool();
}
