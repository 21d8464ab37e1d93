import type { STSClient } from '@aws-sdk/client-sts';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { explainFailure } from '../../adapters/aws/failure.ts';
import { GlasshouseError } from '../../core/errors.ts';

export interface Account {
  readonly account: string;
  readonly region: string;
}

/** Whether there are credentials at all. It asks no service of the account. */
export async function hasCredentials(sts: STSClient): Promise<boolean> {
  try {
    await sts.config.credentials();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'CredentialsProviderError') return false;
    throw explainFailure(thrown, 'read the AWS credentials');
  }
}

/** Whose credentials they are, and where. Throws GlasshouseError `config` where no region is known, `unavailable` where they are not taken. */
export async function whoAmI(sts: STSClient): Promise<Account> {
  const region = await regionOf(sts);
  try {
    const { Account: account = '' } = await sts.send(new GetCallerIdentityCommand({}));
    return { account, region };
  } catch (thrown) {
    throw explainFailure(thrown, 'ask whose the AWS credentials are');
  }
}

async function regionOf(sts: STSClient): Promise<string> {
  try {
    return await sts.config.region();
  } catch (cause) {
    throw new GlasshouseError('config', 'No AWS region is set: give --region, or set AWS_REGION.', { cause });
  }
}
