SELECT "sequence", "snapshot_id" FROM "shop_base"."_ledger" WHERE "table_name" = 'orders' ORDER BY "load" DESC LIMIT 1;

SELECT CAST("table_name" AS VARCHAR(256)) AS "table_name", CAST("snapshot_id" AS VARCHAR(256)) AS "snapshot_id", CAST("rows" AS VARCHAR(256)) AS "rows", CAST("applied" AS VARCHAR(256)) AS "applied", CAST("newest_committed_at" AS VARCHAR(256)) AS "newest_committed_at" FROM "shop_base"."_ledger" WHERE "sequence" = 42 ORDER BY "table_name", "load";

SELECT a.attname AS "name" FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'shop_base' AND c.relname = 'orders' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

SELECT a.attname AS "name" FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'o''hara' AND c.relname = 'select' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
