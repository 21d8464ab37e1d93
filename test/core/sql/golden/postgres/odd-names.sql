CREATE SCHEMA IF NOT EXISTS "The ""Shop""_base";

CREATE SCHEMA IF NOT EXISTS "o'hara";

CREATE TABLE IF NOT EXISTS "The ""Shop""_base"."_ledger" (
  "table_name" text NOT NULL,
  "load" bigint NOT NULL,
  "sequence" bigint NOT NULL,
  "snapshot_id" bigint NOT NULL,
  "rows" bigint NOT NULL,
  "applied" bigint NOT NULL,
  "stale" bigint NOT NULL,
  "loaded_at" timestamp NOT NULL,
  "newest_committed_at" bigint, PRIMARY KEY ("table_name", "load")
);

CREATE TABLE IF NOT EXISTS "The ""Shop""_base"."select" (
  "_key_hash" text COLLATE "C" PRIMARY KEY,
  "_key" text NOT NULL,
  "customer_id" text,
  "order" numeric(38,9),
  "user" text,
  "amount" numeric(38,9),
  "units" numeric(19,0),
  "table" bigint,
  "ratio" double precision,
  "paid" boolean,
  "receipt" bytea,
  "items" jsonb,
  "placed_at" timestamp,
  "due" date,
  "_version" text COLLATE "C" NOT NULL,
  "_committed_at" timestamp NOT NULL,
  "_rescued" jsonb,
  "_deleted" boolean NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.1);

CREATE OR REPLACE VIEW "o'hara"."select" AS
SELECT
  "customer_id",
  "order",
  "user",
  "amount",
  "units",
  "table",
  "ratio",
  "paid",
  "receipt",
  "items",
  "placed_at",
  "due",
  "_version",
  "_committed_at",
  "_rescued"
FROM "The ""Shop""_base"."select"
WHERE NOT "_deleted";

SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

CREATE TEMP TABLE "_staged" (
  "_key_hash" text COLLATE "C",
  "_key" text,
  "customer_id" text,
  "order" numeric(38,9),
  "user" text,
  "amount" numeric(38,9),
  "units" numeric(19,0),
  "table" bigint,
  "ratio" double precision,
  "paid" boolean,
  "receipt" bytea,
  "items" jsonb,
  "placed_at" timestamp,
  "due" date,
  "_version" text COLLATE "C",
  "_committed_at" timestamp,
  "_rescued" jsonb,
  "_deleted" boolean
) ON COMMIT DROP;

COPY pg_temp."_staged" ("_key_hash", "_key", "customer_id", "order", "user", "amount", "units", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_version", "_committed_at", "_rescued", "_deleted") FROM STDIN;

MERGE INTO "The ""Shop""_base"."select" AS held
USING pg_temp."_staged" AS staged
ON held."_key_hash" = staged."_key_hash"
WHEN MATCHED AND staged."_version" > held."_version" THEN UPDATE SET
  "customer_id" = staged."customer_id",
  "order" = staged."order",
  "user" = staged."user",
  "amount" = staged."amount",
  "units" = staged."units",
  "table" = staged."table",
  "ratio" = staged."ratio",
  "paid" = staged."paid",
  "receipt" = staged."receipt",
  "items" = staged."items",
  "placed_at" = staged."placed_at",
  "due" = staged."due",
  "_version" = staged."_version",
  "_committed_at" = staged."_committed_at",
  "_rescued" = staged."_rescued",
  "_deleted" = staged."_deleted"
WHEN NOT MATCHED THEN INSERT ("_key_hash", "_key", "customer_id", "order", "user", "amount", "units", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_version", "_committed_at", "_rescued", "_deleted")
  VALUES (staged."_key_hash", staged."_key", staged."customer_id", staged."order", staged."user", staged."amount", staged."units", staged."table", staged."ratio", staged."paid", staged."receipt", staged."items", staged."placed_at", staged."due", staged."_version", staged."_committed_at", staged."_rescued", staged."_deleted");

INSERT INTO "The ""Shop""_base"."_ledger" ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at")
SELECT 'select', COALESCE(MAX("load"), 0) + 1, $1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, (clock_timestamp() AT TIME ZONE 'UTC')
FROM "The ""Shop""_base"."_ledger" WHERE "table_name" = 'select';

DELETE FROM "The ""Shop""_base"."_ledger" WHERE "table_name" = 'select' AND "load" <= (SELECT MAX("load") - 1000 FROM "The ""Shop""_base"."_ledger" WHERE "table_name" = 'select');
