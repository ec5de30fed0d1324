import { useState } from 'react';
import type { Command } from 'varve';
import { useClient } from 'varve/react';

/** Sends commands as one commit: all are saved, or none. Resolves to whether they are. */
export type Send = (...commands: readonly Command[]) => Promise<boolean>;

/** `problem` is what the device said no with the last time: it is full, for example. Empty where all is well. */
export function useSend(): { readonly send: Send; readonly problem: string } {
  const client = useClient();
  const [problem, setProblem] = useState('');
  const send: Send = async (...commands) => {
    const receipt = await client.execute(commands);
    setProblem(receipt.status === 'failed' ? receipt.failure.text : '');
    return receipt.status === 'saved';
  };
  return { send, problem };
}
