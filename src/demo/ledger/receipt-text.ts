import type { Receipt } from 'varve';
import { toCrowns } from './money.ts';

interface Overdraft {
  readonly balance: number;
  readonly available: number;
}

/** What a form says of a receipt; nothing where it was saved. */
export function receiptToText(receipt: Receipt): string {
  switch (receipt.status) {
    case 'saved':
      return '';
    case 'failed':
      return receipt.failure.text;
    case 'rejected':
      return rejectionToText(receipt.rejection.code, receipt.rejection.details);
  }
}

/** What the ledger's rules said no with. */
export function rejectionToText(code: string, details: unknown): string {
  switch (code) {
    case 'overdraft-limit': {
      const { balance, available } = details as Overdraft;
      return `That is more than the account may give. Its balance is ${toCrowns(balance)}, and with the overdraft ${toCrowns(available)} can be taken.`;
    }
    case 'not-open':
      return 'There is no open account with this number.';
    case 'already-open':
      return 'This account is open already.';
    case 'invalid-input':
      return `Check what you entered: ${(details as { issues: { path: string; message: string }[] }).issues
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; ')}.`;
    default:
      return `The ledger refused this (${code}).`;
  }
}
