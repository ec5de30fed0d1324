import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import { Ranking, rankingApp } from '../testing/fixtures/ranking-app.ts';
import { useQuery, VarveProvider } from './index.ts';

it('useQuery renders no rows on a server, and starts no worker there', () => {
  const client = createClient(rankingApp, () => {
    throw new Error('There are no workers here.');
  });
  const List = () => {
    const { rows, next, isStale } = useQuery(Ranking, { orderBy: 'count' });
    return `${rows.length} ${next} ${isStale}`;
  };
  // biome-ignore lint/correctness/noChildrenProp: the file is no JSX
  const tree = createElement(VarveProvider, { client, children: createElement(List) });
  expect(renderToString(tree)).toContain('0 undefined false');
});
