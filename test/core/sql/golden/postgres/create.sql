CREATE SCHEMA IF NOT EXISTS "shop_base";

CREATE SCHEMA IF NOT EXISTS "public";

CREATE TABLE IF NOT EXISTS "shop_base"."_ledger" (
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

CREATE TABLE IF NOT EXISTS "shop_base"."orders" (
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

CREATE OR REPLACE VIEW "public"."orders" AS
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
FROM "shop_base"."orders"
WHERE NOT "_deleted";
