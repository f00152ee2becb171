export async function writeReport(_: string): Promise<string[]> {
  return [];
}
