import type { DoctorReport } from '../../deployed/results.ts';
import type { CommandDefinition } from '../command.ts';
import type { PlaceOptions } from '../deployed-options.ts';
import { deployedOptions } from '../deployed-options.ts';
import { countOf } from '../format.ts';
import type { Session } from '../session.ts';

type Verdict = DoctorReport['checks'][number]['verdict'];

const STYLES = { ok: 'green', warning: 'yellow', wrong: 'red', unknown: 'cyan' } as const satisfies Record<
  Verdict,
  string
>;

export const doctorCommand: CommandDefinition<PlaceOptions> = {
  usage: 'doctor',
  summary: 'Check the account and each table before `cdk deploy`, and say what to do',
  details:
    'It changes nothing. Credentials, region, CDK bootstrap, quotas; of each table its key, stream, recovery, time to live and encryption; the Glue database, Lake Formation, and an existing Redshift (which it wakes). Exits 1 if anything is wrong.',
  examples: [
    ['glasshouse doctor', 'the tables of the configuration in this folder'],
    [
      'glasshouse doctor --region eu-central-1 --json | jq ".checks[] | select(.verdict != \\"ok\\")"',
      'what is to be done, for a program',
    ],
  ],
  configure(command) {
    command
      .option('--mirror <name>', "the deployed mirror's name, if it is not the configuration's")
      .option(
        '--region <region>',
        'where the mirror will be (default: aws.region of the configuration, then AWS_REGION)',
      );
  },
  async execute(session, options) {
    const report = await session.operations.examine(await session.loadMirror(), deployedOptions(session, options));
    if (session.json) session.printJson(report);
    else printReport(session, report);
    return report.wrong === 0 ? 0 : 1;
  },
};

function printReport(session: Session, report: DoctorReport): void {
  session.printTable(
    ['', 'what', 'verdict', 'found'],
    report.checks.map(({ subject, what, verdict, found }) => [subject, what, verdict, found]),
  );
  for (const { subject, what, verdict, remedy } of report.checks) {
    if (remedy === null) continue;
    session.print('');
    session.print(`${session.paint(STYLES[verdict], verdict)} ${subject}, ${what}`);
    for (const line of remedy.split('\n')) session.print(`  ${line}`);
  }
  session.print('');
  const { wrong, warnings } = report;
  if (wrong > 0) session.print(session.paint('red', `${countOf(wrong, 'thing')} must be put right before the deploy.`));
  else if (warnings > 0)
    session.print(session.paint('yellow', `Ready to deploy, with ${countOf(warnings, 'warning')}.`));
  else session.print(session.paint('green', 'Ready to deploy: npx cdk deploy --all'));
}
