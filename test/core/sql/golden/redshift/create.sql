CREATE SCHEMA IF NOT EXISTS "shop_base";

CREATE SCHEMA IF NOT EXISTS "public";

CREATE TABLE IF NOT EXISTS "shop_base"."_ledger" (
  "table_name" VARCHAR(256) NOT NULL,
  "load" bigint NOT NULL,
  "sequence" bigint NOT NULL,
  "snapshot_id" bigint NOT NULL,
  "rows" bigint NOT NULL,
  "applied" bigint NOT NULL,
  "stale" bigint NOT NULL,
  "loaded_at" TIMESTAMP NOT NULL,
  "newest_committed_at" bigint
);

CREATE TABLE IF NOT EXISTS "shop_base"."orders" (
  "_key_hash" VARCHAR(32) NOT NULL,
  "_key" VARCHAR(65535) NOT NULL,
  "customer_id" VARCHAR(65535),
  "order" DECIMAL(38,9),
  "user" VARCHAR(65535),
  "amount" DECIMAL(38,9),
  "units" DECIMAL(20,0),
  "table" BIGINT,
  "ratio" DOUBLE PRECISION,
  "paid" BOOLEAN,
  "receipt" VARBYTE,
  "items" SUPER,
  "placed_at" TIMESTAMP,
  "due" DATE,
  "_version" VARCHAR(58) NOT NULL,
  "_committed_at" TIMESTAMP NOT NULL,
  "_rescued" SUPER,
  "_deleted" boolean NOT NULL
) DISTKEY ("_key_hash") SORTKEY ("_key_hash");

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
WHERE NOT "_deleted" WITH NO SCHEMA BINDING;
