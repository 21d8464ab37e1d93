import type { Check } from './check.ts';
import { byHand } from './check.ts';
import { byDeploy } from './seen.ts';

export const PERMISSION_CHECKS = {
  'bucket-key-decrypt': byHand(
    'take kms:Decrypt by way of s3 from the role of capture, write an item that is set aside (with --keep), and look below quarantine/ of the control bucket.',
  ),
  'optimizer-permissions': byDeploy('the registrar set the optimizers with its role.'),
  'missing-object-answer': byHand(
    'let yourself assume the role of the merge function, and ask by `aws s3api get-object` for a key below tables/ that is not there: NoSuchKey.',
  ),
  'audit-log-groups': byHand(
    'run with --keep, and list the streams of /aws/redshift/<namespace>/userlog, connectionlog and useractivitylog by `aws logs describe-log-streams`: each has some.',
  ),
  'dashboard-30-tables': byHand(
    'deploy a mirror of 30 tables, open its dashboard, and compare the sum of the day’s cost with `glasshouse cost`.',
  ),
  'freshness-alarm-period': byHand(
    'deploy with mergeEveryMinutes 15, write every minute for an hour, and read the history of the freshness alarm: it stays OK.',
  ),
} as const satisfies Readonly<Record<string, Check>>;
