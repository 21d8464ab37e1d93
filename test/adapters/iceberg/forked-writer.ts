import { openTable } from '../../../adapters/iceberg/table.ts';
import { dataFile } from '../../core/iceberg/sample-files.ts';

/**
 * Commits to a table in a process of its own: LOCATION NAME COUNT [STEP]. With a step, the process kills itself there.
 * Each commit adds one file of one row, named after the writer; none of them is on disk.
 */
async function main(): Promise<void> {
  const [location = '', name = '', count = '0', killAt] = process.argv.slice(2);
  const onStep = (step: string) => {
    if (step === killAt) process.kill(process.pid, 'SIGKILL');
  };
  const table = await openTable(location, { onStep });
  for (let index = 0; index < Number(count); index++) {
    const file = dataFile(`${location}/data/${name}-${index}.parquet`, 1);
    await table.commit({ operation: 'append', dataFiles: [file], deleteFiles: [], summary: { 'glasshouse.by': name } });
  }
}

await main();
