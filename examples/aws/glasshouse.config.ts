import { defineMirror } from 'glasshouse';

// Three tables into Iceberg tables and a new Redshift Serverless: `npx cdk deploy --all` deploys it, after the ARNs are
// yours. `glasshouse doctor` says what is missing before.
export default defineMirror({
  name: 'shop',
  tables: {
    // A table that is there. It needs a stream with new and old images:
    //   aws dynamodb update-table --table-name prod-Orders --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
    //   aws dynamodb describe-table --table-name prod-Orders --query Table.LatestStreamArn
    orders: {
      aws: {
        arn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders',
        streamArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders/stream/2026-11-22T09:00:00.000',
      },
      columns: {
        total: 'decimal(38,2)',
        placed_at: 'timestamp',
        item_count: 'long',
      },
    },
    // One that a customer's key encrypts.
    customers: {
      aws: {
        arn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Customers',
        streamArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Customers/stream/2026-11-22T09:00:00.000',
        kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
      },
      columns: { born_on: 'date', consents: 'json' },
      maxColumns: 100,
    },
    // A new one.
    carts: {
      from: 'prod-Carts',
      key: { cart_id: 'S' },
      ttl: 'expires_at',
      aws: { create: true },
    },
  },
  targets: {
    lakehouse: true,
    warehouse: { schema: 'shop' },
  },
  freshness: { objectiveSeconds: 120 },
  aws: {
    region: 'eu-central-1',
    // alarmEmail: 'you@example.com',
    redshift: { baseCapacity: 8, dailyBudgetUsd: 5 },
  },
});
