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

MERGE INTO "shop_base"."orders" AS held
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

INSERT INTO "shop_base"."_ledger" ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at")
SELECT 'orders', COALESCE(MAX("load"), 0) + 1, $1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, (clock_timestamp() AT TIME ZONE 'UTC')
FROM "shop_base"."_ledger" WHERE "table_name" = 'orders';

DELETE FROM "shop_base"."_ledger" WHERE "table_name" = 'orders' AND "load" <= (SELECT MAX("load") - 1000 FROM "shop_base"."_ledger" WHERE "table_name" = 'orders');
