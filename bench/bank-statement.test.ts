import { expect, it } from 'vitest';
import { parseBankStatement } from './bank-statement.ts';

it('reads credits and debits in hellers', () => {
  const file =
    '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"\n' +
    '695247;2378;930101;"PRIJEM";"VKLAD";700.00;700.00;"";;\n' +
    '3530438;379;940331;"VYDAJ";"PREVOD NA UCET";19.99;1.00;"SIPO";"YZ";123\n';
  expect(parseBankStatement(file)).toEqual([
    { id: '695247', account: '2378', type: 'Deposited', amount: 70_000, note: 'VKLAD', at: Date.UTC(1993, 0, 1) },
    {
      id: '3530438',
      account: '379',
      type: 'Withdrawn',
      amount: 1_999,
      note: 'PREVOD NA UCET SIPO',
      at: Date.UTC(1994, 2, 31),
    },
  ]);
});
