import { defineMirror } from 'glasshouse';

// One table into a workgroup of Redshift Serverless that is there. Its namespace lists the role, which Redshift reads the
// staged changes with; the role itself needs no policy for it.
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
  targets: { warehouse: { schema: 'shop' } },
  freshness: { objectiveSeconds: 900 },
  aws: {
    region: 'eu-central-1',
    redshift: {
      serverless: {
        workgroup: 'analytics',
        copyRoleArn: 'arn:aws:iam::111122223333:role/redshift-copy',
        secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:analytics-loader-AbCdEf',
      },
      database: 'analytics',
      dailyBudgetUsd: 3,
    },
  },
});
