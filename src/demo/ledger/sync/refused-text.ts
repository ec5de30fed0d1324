import type { RefusedCommit } from 'varve/client';
import { toCrowns } from '../money.ts';
import { toTime } from './to-time.ts';

type Commit = RefusedCommit['commit'];

const nouns: Record<string, string> = {
  Deposited: 'Deposit of',
  Withdrawn: 'Withdrawal of',
  Opened: 'Opening of',
  Archived: 'Archiving of',
};

/** What a commit had booked, in words: “Withdrawal of 400.00, Ada Novak (S-01), at 12:31.” */
export function toRefusedText({ events, recordedAt }: Commit, ownerOf: (id: string) => string | undefined): string {
  const time = toTime(recordedAt, 'short');
  const [first, second] = events;
  if (first === undefined || events.length > 2) return `${events.length.toLocaleString('en')} entries, at ${time}.`;
  const amountOf = (data: unknown) => (data as { amount?: number }).amount;
  const whose = ({ stream, data }: Commit['events'][number]) => {
    const id = stream.slice(stream.indexOf('-') + 1);
    const owner = (data as { owner?: string }).owner ?? ownerOf(id);
    return owner === undefined ? id : `${owner} (${id})`;
  };
  const amount = amountOf(first.data);
  const money = amount === undefined ? '' : ` ${toCrowns(amount)}`;
  if (second !== undefined && first.type === 'Withdrawn' && second.type === 'Deposited') {
    return `Transfer of${money} from ${whose(first)} to ${whose(second)}, at ${time}.`;
  }
  const more = second === undefined ? '' : ' and one more entry';
  return `${nouns[first.type] ?? first.type}${money}${money === '' ? ' ' : ', '}${whose(first)}${more}, at ${time}.`;
}
