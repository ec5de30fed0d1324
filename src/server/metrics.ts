/** Counters and gauges, written as Prometheus reads them. Labels are the server's own words, never a sender's. */
export interface Metrics {
  add(name: MetricName, amount?: number, labels?: string): void;
  print(): string;
}

const descriptions = {
  varve_requests_total: ['counter', 'Requests by route and status.'],
  varve_request_seconds_total: ['counter', 'Time spent on requests by route.'],
  varve_push_results_total: ['counter', 'Pushed commits by result.'],
  varve_events_stored_total: ['counter', 'Events that were stored.'],
  varve_commits_sent_total: ['counter', 'Commits that were pulled.'],
  varve_diverged_total: ['counter', 'Pulls and pushes from another history.'],
  varve_open_streams: ['gauge', 'Event streams that are open.'],
} as const;

export type MetricName = keyof typeof descriptions;

export function createMetrics(): Metrics {
  const values = new Map<MetricName, Map<string, number>>();
  return {
    add: (name, amount = 1, labels = '') => {
      const byLabels = values.get(name) ?? new Map<string, number>();
      values.set(name, byLabels);
      byLabels.set(labels, (byLabels.get(labels) ?? 0) + amount);
    },
    print: () =>
      Object.entries(descriptions)
        .map(([name, [type, help]]) => {
          const byLabels = values.get(name as MetricName) ?? new Map([['', 0]]);
          const lines = [...byLabels].map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
          return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
        })
        .join(''),
  };
}
