import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ARTICLES, runbookLink } from '../../lib/runbook.ts';

const OPERATIONS = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
const alarms = OPERATIONS.slice(OPERATIONS.indexOf('## The alarms'), OPERATIONS.indexOf('## Other work'));
const headings = [...alarms.matchAll(/^### (.+)$/gm)].map((match) => match[1]);

it('each alarm has an article of its name, and each article its alarm', () => {
  expect(headings).toEqual([...ARTICLES]);
});

it.each(ARTICLES)('the article %s says what is at stake, how to look, what to do and when it is over', (article) => {
  const [, rest = ''] = alarms.split(`### ${article}\n`);
  const body = rest.split('\n### ')[0] ?? '';
  for (const part of ['**At stake**', '**Over**']) expect(body).toContain(part);
  expect(body).toMatch(/\*\*(Look|Look and do)\*\*/);
  expect(runbookLink(article)).toBe(`Runbook: docs/operations.md#${article}`);
});

it('links between the articles name an article that is there', () => {
  const links = [...OPERATIONS.matchAll(/\]\(#([a-z-]+)\)/g)].map((match) => match[1]);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => !headings.includes(link))).toEqual([]);
});
