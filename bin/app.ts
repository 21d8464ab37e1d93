import { App } from 'aws-cdk-lib';
import { loadConfig } from '../adapters/files/config-file.ts';
import { mirrorStacks } from '../lib/mirror-stacks.ts';

const app = new App();
const path: unknown = app.node.tryGetContext('config');
const { config } = await loadConfig(typeof path === 'string' ? path : 'glasshouse.config.ts');
mirrorStacks(app, config, {
  environment: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
});
app.synth();
