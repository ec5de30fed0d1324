// Files of a run lie on the runner's server: too large to pass through the debugging protocol.

export async function fetchFile(address: string): Promise<Blob> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} was answered with ${response.status}.`);
  return response.blob();
}

export async function sendFile(address: string, file: Blob): Promise<void> {
  const response = await fetch(address, { method: 'PUT', body: file });
  if (!response.ok) throw new Error(`${address} was answered with ${response.status}.`);
}
