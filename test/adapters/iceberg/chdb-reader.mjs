// Reads tables with chdb's icebergLocal, in a process of its own: chdb takes only paths below the working directory.
// Usage: node chdb-reader.mjs TRUTH.json, with the tables' paths relative; prints what it read as JSON.
import { readFileSync } from 'node:fs';
import { query } from 'chdb';

const rows = (sql) =>
  query(sql, 'JSONEachRow')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const quote = (name) => `\`${name}\``;

const seen = JSON.parse(readFileSync(process.argv[2], 'utf8')).map((truth) => {
  const source = `icebergLocal('${truth.path}')`;
  const sums = Object.keys(truth.sums).map((name) => `toString(sum(${quote(name)})) AS ${quote(`sum ${name}`)}`);
  const nulls = Object.keys(truth.nulls).map(
    (name) => `toString(countIf(${quote(name)} IS NULL)) AS ${quote(`nulls ${name}`)}`,
  );
  const counts = ['toString(count()) AS count', `toString(uniqExact(${quote(truth.key)})) AS keys`];
  const [row] = rows(`SELECT ${[...counts, ...sums, ...nulls].join(', ')} FROM ${source}`);
  return {
    path: truth.path,
    count: Number(row.count),
    key: truth.key,
    keys: Number(row.keys),
    sums: Object.fromEntries(Object.keys(truth.sums).map((name) => [name, row[`sum ${name}`]])),
    nulls: Object.fromEntries(Object.keys(truth.nulls).map((name) => [name, Number(row[`nulls ${name}`])])),
    columns: rows(`DESCRIBE TABLE ${source}`).map((column) => column.name),
  };
});
console.log(JSON.stringify(seen));
