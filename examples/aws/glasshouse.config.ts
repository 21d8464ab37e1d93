import { defineMirror } from 'glasshouse';

// Two tables on AWS into a PostgreSQL of your own and Iceberg tables on this machine. The credentials come from the
// environment; each table needs a stream with new and old images.
export default defineMirror({
  name: 'shop',
  source: { region: 'eu-central-1' },
  tables: {
    orders: {
      from: 'prod-Orders',
      columns: {
        total: 'decimal(38,2)',
        placed_at: 'timestamp',
        item_count: 'long',
      },
    },
    customers: {
      from: 'prod-Customers',
      columns: { born_on: 'date', consents: 'json' },
      maxColumns: 100,
    },
  },
  targets: {
    lakehouse: true,
    warehouse: {
      url: process.env.WAREHOUSE_URL ?? 'postgres://glasshouse@127.0.0.1:5432/analytics',
      schema: 'shop',
    },
  },
  freshness: { objectiveSeconds: 30 },
});
