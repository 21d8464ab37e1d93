import { expect, it } from 'vitest';
import { IdleRounds } from '../../../adapters/aws/idle-rounds.ts';

it('a round is over when every open shard was asked in it and had nothing', () => {
  const rounds = new IdleRounds(1);
  rounds.open('A');
  rounds.open('B');
  rounds.nothing('A', 0);
  expect(rounds.tryComplete()).toBe(false);
  rounds.nothing('B', 0);
  expect(rounds.tryComplete()).toBe(true);
  expect(rounds.completed).toBe(1);
  expect(rounds.tryComplete()).toBe(false);
});

it('an answer to a request that was begun before the round does not count in it', () => {
  const rounds = new IdleRounds(1);
  rounds.open('A');
  rounds.nothing('A', 0);
  rounds.tryComplete();
  rounds.nothing('A', 0);
  expect(rounds.tryComplete()).toBe(false);
  rounds.nothing('A', 1);
  expect(rounds.tryComplete()).toBe(true);
});

it('records, and shards that are opened, put the end of the round off; shards that are closed do not', () => {
  const rounds = new IdleRounds(2);
  rounds.open('A');
  rounds.nothing('A', 0);
  rounds.news('A');
  rounds.nothing('A', 0);
  expect(rounds.tryComplete()).toBe(false);
  rounds.open('B');
  rounds.nothing('A', 0);
  expect(rounds.tryComplete()).toBe(false);
  rounds.close('B');
  expect(rounds.tryComplete()).toBe(true);
});
