import { defineMirror } from 'glasshouse';

// The least: one table that is there, into Iceberg tables. `npx cdk deploy --all -c config=examples/aws-lakehouse/glasshouse.config.ts`
export default defineMirror({
  name: 'shop',
  tables: {
    orders: {
      aws: {
        arn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders',
        streamArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders/stream/2026-11-22T09:00:00.000',
      },
    },
  },
  targets: { lakehouse: true },
  aws: { region: 'eu-central-1' },
});
