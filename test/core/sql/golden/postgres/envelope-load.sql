LOCK TABLE "shop_base"."_ledger";

CREATE TEMP TABLE "orders__staged" (
  "_key" text,
  "_key_hash" text COLLATE "C",
  "_version" text COLLATE "C",
  "_op" text,
  "_committed_at" bigint,
  "_captured_at" bigint,
  "_schema" integer,
  "_row" jsonb,
  "_cause" text
) ON COMMIT DROP;

INSERT INTO "orders__staged"
SELECT
  CAST(j->>'_key' AS text),
  CAST(j->>'_key_hash' AS text),
  CAST(j->>'_version' AS text),
  CAST(j->>'_op' AS text),
  CAST(j->>'_committed_at' AS bigint),
  CAST(j->>'_captured_at' AS bigint),
  CAST(j->>'_schema' AS integer),
  NULLIF(j->'_row', 'null'),
  CAST(j->>'_cause' AS text)
FROM (SELECT CAST("line" AS jsonb) AS j FROM "_staging"."lines" WHERE "manifest" = 's3://staging/shop/orders/000123.manifest') AS l;

CREATE TEMP TABLE "orders__fresh" ON COMMIT DROP AS
SELECT n.* FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC) AS "_rank" FROM "orders__staged"
) AS n
LEFT JOIN "shop_base"."orders" AS held ON held."_key_hash" = n."_key_hash"
WHERE n."_rank" = 1 AND (held."_key_hash" IS NULL OR held."_version" < n."_version");

DELETE FROM "shop_base"."orders" USING "orders__fresh" AS f WHERE "shop_base"."orders"."_key_hash" = f."_key_hash";

INSERT INTO "shop_base"."orders" ("_key_hash", "_key", "customer_id", "order", "user", "amount", "units", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_version", "_committed_at", "_rescued", "_deleted")
SELECT
  f."_key_hash",
  f."_key",
  CAST(f."_row"->>'customer_id' AS text),
  CAST(f."_row"->>'order' AS numeric(38,9)),
  CAST(f."_row"->>'user' AS text),
  CAST(f."_row"->>'amount' AS numeric(38,9)),
  CAST(f."_row"->>'units' AS numeric(19,0)),
  CAST(f."_row"->>'table' AS bigint),
  CAST(f."_row"->>'ratio' AS double precision),
  CAST(f."_row"->>'paid' AS boolean),
  decode(f."_row"->>'receipt', 'base64'),
  NULLIF(f."_row"->'items', 'null'),
  CAST(f."_row"->>'placed_at' AS timestamp),
  CAST(f."_row"->>'due' AS date),
  f."_version",
  TIMESTAMP 'epoch' + f."_committed_at" * INTERVAL '1 microsecond',
  NULLIF(f."_row"->'_rescued', 'null'),
  f."_op" = 'delete'
FROM "orders__fresh" AS f;

INSERT INTO "shop_base"."_ledger" ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at", "newest_committed_at")
SELECT 'orders', COALESCE(MAX("load"), 0) + 1, 42, 8912345678, (SELECT COUNT(*) FROM "orders__staged"), (SELECT COUNT(*) FROM "orders__fresh"), (SELECT COUNT(*) FROM "orders__staged") - (SELECT COUNT(*) FROM "orders__fresh"), (clock_timestamp() AT TIME ZONE 'UTC'), (SELECT MAX("_committed_at") FROM "orders__staged")
FROM "shop_base"."_ledger" WHERE "table_name" = 'orders';

DELETE FROM "shop_base"."_ledger" WHERE "sequence" <= -958;
