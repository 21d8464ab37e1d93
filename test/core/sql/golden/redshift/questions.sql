SELECT "sequence", "snapshot_id" FROM "shop_base"."_ledger" WHERE "table_name" = 'orders' ORDER BY "load" DESC LIMIT 1;

SELECT CAST("table_name" AS VARCHAR(256)) AS "table_name", CAST("snapshot_id" AS VARCHAR(256)) AS "snapshot_id", CAST("rows" AS VARCHAR(256)) AS "rows", CAST("applied" AS VARCHAR(256)) AS "applied", CAST("newest_committed_at" AS VARCHAR(256)) AS "newest_committed_at" FROM "shop_base"."_ledger" WHERE "sequence" = 42 ORDER BY "table_name", "load";

SELECT column_name AS "name" FROM svv_columns WHERE table_schema = 'shop_base' AND table_name = 'orders' ORDER BY ordinal_position;

SELECT column_name AS "name" FROM svv_columns WHERE table_schema = 'o''hara' AND table_name = 'select' ORDER BY ordinal_position;
