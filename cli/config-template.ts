/** What `glasshouse init` writes. A test loads and validates it as it is. */
export const CONFIG_TEMPLATE = `import { defineMirror } from 'glasshouse';

export default defineMirror({
  // Names the mirror; the warehouse keeps its base tables in the schema shop_base. lower_snake.
  name: 'shop',

  // A DynamoDB on this machine, at http://127.0.0.1:8000, with any credentials. \`glasshouse run\` starts it.
  source: { endpoint: 'embedded', port: 8000 },
  // Your tables on AWS: leave \`endpoint\` out. The credentials come from the environment, and each table needs a stream
  // with new and old images:
  //   aws dynamodb update-table --table-name Orders --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
  // source: { region: 'eu-central-1' },

  tables: {
    // The mirror's name of the table. The lakehouse also gets orders__changes, orders_live and orders_history.
    orders: {
      // The table in DynamoDB.
      from: 'Orders',

      // The key in its order (hash, then range): 'S', 'N' or 'B'. Only an embedded table that is missing is created from it.
      key: { customer_id: 'S', order_id: 'S' },

      // The attribute with the time of expiry in epoch seconds. Set on a table that is created here.
      // ttl: 'expires_at',

      // Nothing has to be declared: columns come with the attributes, numbers as decimal(38,9). What you declare is kept
      // exactly so: string, boolean, binary, json, long, double, decimal(precision,scale), timestamp, date.
      columns: {
        total: 'decimal(38,2)',
        placed_at: 'timestamp',
      },

      // Attributes beyond so many columns go to _rescued.
      // maxColumns: 500,
    },
  },

  targets: {
    // Apache Iceberg tables, under .glasshouse/lakehouse.
    lakehouse: true,
    // The PostgreSQL that Glasshouse brings, under .glasshouse/warehouse.
    warehouse: true,
    // One of your own, version 16 or newer:
    // warehouse: { url: process.env.WAREHOUSE_URL, schema: 'public' },
  },

  // How old the newest change that a reader sees may be.
  freshness: { objectiveSeconds: 60 },
});
`;
