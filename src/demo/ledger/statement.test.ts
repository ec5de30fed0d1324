import { describe, expect, it } from 'vitest';
import { parseCrowns } from './money.ts';
import { parseStatement } from './statement.ts';

const header = '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"';

describe('a statement', () => {
  it('is read line by line', () => {
    const text = `${header}\n695247;2378;930101;"PRIJEM";"VKLAD";700.00;700.00;"";;\r\n1;576;1993-01-02;"VYDAJ";"";0.5;9;"UROK";;\n`;
    expect(parseStatement(text)).toEqual({
      lines: [
        { account: '2378', kind: 'credit', amount: 70_000, date: '1993-01-01', note: 'Cash in' },
        { account: '576', kind: 'debit', amount: 50, date: '1993-01-02', note: 'Interest' },
      ],
      problems: [],
    });
  });

  it('names the line of everything that is malformed', () => {
    const text = [
      header,
      '1;2378;930101;"PRIJEM";"VKLAD";700.00;0;"";;',
      '2;;930101;"PRIJEM";"VKLAD";700.00;0;"";;',
      '3;2378;930231;"PRIJEM";"VKLAD";700.00;0;"";;',
      '4;2378;930101;"DAR";"VKLAD";700.00;0;"";;',
      '5;2378;930101;"VYBER";"VKLAD";-7;0;"";;',
      '6;2378;930101',
      '',
      '8;2378;930101;"VYBER";"VKLAD";1.234;0;"";;',
    ].join('\n');
    const { lines, problems } = parseStatement(text);
    expect(lines).toHaveLength(1);
    expect(problems.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 9]);
    expect(problems.map(({ text: what }) => what.split(' ')[0])).toEqual([
      'account_id',
      'date',
      'type',
      'amount',
      'has',
      'amount',
    ]);
  });

  it('names the line in which a quote is left open, wherever the next one stands', () => {
    const top = 'account_id;date;type;amount;note';
    const linesOf = (...rows: string[]) => parseStatement([top, ...rows].join('\n')).problems.map(({ line }) => line);
    expect(linesOf('1;930101;PRIJEM;1;"Rent"', '2;930101;PRIJEM;2;"5"" pipe"')).toEqual([]);
    expect(linesOf('1;930101;PRIJEM;1;"Rent', '2;930101;PRIJEM;2;"Food"')).toEqual([2]);
    expect(linesOf('1;930101;PRIJEM;1;"Rent', '2;930101;PRIJEM;2;Food')).toEqual([2]);
    // Nothing is wrong with these quotes, but that they stand on two lines.
    expect(linesOf('1;930101;PRIJEM;1;"Rent', '2;930101;PRIJEM;2;Food"', '3;930101;DAR;3;')).toEqual([2, 4]);
    expect(linesOf('1;930101;PRIJEM;1;"Rent" of May', '2;930101;DAR;2;"Food"', '3;930101;PRIJEM;3;')).toEqual([2]);
    expect(parseStatement('account_id;date;type;amount;"note\n1;930101;PRIJEM;1;Rent\n').problems[0]?.line).toBe(1);
  });

  it('takes no name that every object has for a word of the bank', () => {
    const rowOf = (type: string, operation: string) => `1;576;930101;${type};${operation};1;0;;;`;
    const { lines, problems } = parseStatement(
      [header, rowOf('constructor', ''), rowOf('PRIJEM', 'constructor')].join('\n'),
    );
    expect(problems).toEqual([{ line: 2, text: 'type "constructor" is none of PRIJEM, VYDAJ, VYBER' }]);
    expect(lines.map(({ note }) => note)).toEqual(['constructor']);
  });

  it('needs its columns', () => {
    expect(parseStatement('a;b\n1;2\n').problems).toEqual([
      { line: 1, text: 'The header lacks account_id, date, type, amount; it has a, b.' },
    ]);
    expect(parseStatement('').problems[0]?.text).toContain('it has nothing');
  });

  it('keeps money whole', () => {
    expect([parseCrowns('226.70'), parseCrowns('18.9'), parseCrowns('1,05'), parseCrowns('700')]).toEqual([
      22_670, 1890, 105, 70_000,
    ]);
    expect([parseCrowns('0'), parseCrowns('-1'), parseCrowns('1e3'), parseCrowns('')]).toEqual(
      Array(4).fill(undefined),
    );
  });
});
