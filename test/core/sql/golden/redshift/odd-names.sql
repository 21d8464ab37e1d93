CREATE SCHEMA IF NOT EXISTS "The ""Shop""_base";

CREATE SCHEMA IF NOT EXISTS "o'hara";

CREATE TABLE IF NOT EXISTS "The ""Shop""_base"."_ledger" (
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

CREATE TABLE IF NOT EXISTS "The ""Shop""_base"."select" (
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
WHERE NOT "_deleted" WITH NO SCHEMA BINDING;

LOCK TABLE "The ""Shop""_base"."_ledger";

SET cast_super_null_on_error TO OFF;

CREATE TEMP TABLE "select__staged" (
  "_key" VARCHAR(65535),
  "_key_hash" VARCHAR(32),
  "_version" VARCHAR(58),
  "_op" VARCHAR(16),
  "_committed_at" BIGINT,
  "_captured_at" BIGINT,
  "_schema" INTEGER,
  "_row" SUPER,
  "_cause" VARCHAR(16)
) DISTKEY ("_key_hash") SORTKEY ("_key_hash");

COPY "select__staged" FROM 's3://staging/shop/orders/000123.manifest'
IAM_ROLE 'arn:aws:iam::123456789012:role/load'
FORMAT AS JSON 'auto' GZIP MANIFEST;

CREATE TEMP TABLE "select__fresh" DISTKEY ("_key_hash") AS
SELECT n.* FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC) AS "_rank" FROM "select__staged"
) AS n
LEFT JOIN "The ""Shop""_base"."select" AS held ON held."_key_hash" = n."_key_hash"
WHERE n."_rank" = 1 AND (held."_key_hash" IS NULL OR held."_version" < n."_version");

DELETE FROM "The ""Shop""_base"."select" USING "select__fresh" AS f WHERE "The ""Shop""_base"."select"."_key_hash" = f."_key_hash";

INSERT INTO "The ""Shop""_base"."select" ("_key_hash", "_key", "customer_id", "order", "user", "amount", "units", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_version", "_committed_at", "_rescued", "_deleted")
SELECT
  f."_key_hash",
  f."_key",
  f."_row"."customer_id"::VARCHAR(65535),
  f."_row"."order"::DECIMAL(38,9),
  f."_row"."user"::VARCHAR(65535),
  f."_row"."amount"::DECIMAL(38,9),
  f."_row"."units"::DECIMAL(20,0),
  f."_row"."table"::BIGINT,
  f."_row"."ratio"::DOUBLE PRECISION,
  f."_row"."paid"::BOOLEAN,
  TO_VARBYTE(f."_row"."receipt"::VARCHAR(65535), 'base64'),
  f."_row"."items",
  f."_row"."placed_at"::VARCHAR(64)::TIMESTAMP,
  f."_row"."due"::VARCHAR(64)::DATE,
  f."_version",
  DATEADD(microsecond, CAST(MOD(f."_committed_at", 1000000) AS INTEGER), TIMESTAMP 'epoch' + (f."_committed_at" / 1000000) * INTERVAL '1 second'),
  f."_row"."_rescued",
  f."_op" = 'delete'
FROM "select__fresh" AS f;

INSERT INTO "The ""Shop""_base"."_ledger" ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at", "newest_committed_at")
SELECT 'select', COALESCE(MAX("load"), 0) + 1, 42, 8912345678, (SELECT COUNT(*) FROM "select__staged"), (SELECT COUNT(*) FROM "select__fresh"), (SELECT COUNT(*) FROM "select__staged") - (SELECT COUNT(*) FROM "select__fresh"), SYSDATE, (SELECT MAX("_committed_at") FROM "select__staged")
FROM "The ""Shop""_base"."_ledger" WHERE "table_name" = 'select';

DELETE FROM "The ""Shop""_base"."_ledger" WHERE "sequence" <= -958;
