import { defineMirror } from 'glasshouse';

// A shop on this machine: `npx glasshouse run --config examples/shop/glasshouse.config.ts`, then, in another terminal,
// `node examples/shop/write-orders.mjs` writes to its DynamoDB at http://127.0.0.1:8000.
export default defineMirror({
  name: 'shop',
  source: { endpoint: 'embedded', port: 8000 },
  tables: {
    orders: {
      from: 'Orders',
      key: { customer_id: 'S', order_id: 'S' },
      ttl: 'expires_at',
      columns: { total: 'decimal(38,2)', placed_at: 'timestamp' },
    },
  },
  targets: { lakehouse: true, warehouse: true },
});
