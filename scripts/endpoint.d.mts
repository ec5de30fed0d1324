export interface Endpoint {
  readonly url: string;
  readonly token: string;
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}
export function startEndpoint(options: {
  readonly dir: string;
  readonly port?: number;
  readonly args?: readonly string[];
}): Promise<Endpoint>;
