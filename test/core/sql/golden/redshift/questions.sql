SELECT "sequence", "snapshot_id" FROM "shop_base"."_ledger" WHERE "table_name" = 'orders' ORDER BY "load" DESC LIMIT 1;

SELECT column_name AS "name" FROM svv_columns WHERE table_schema = 'shop_base' AND table_name = 'orders' ORDER BY ordinal_position;

SELECT column_name AS "name" FROM svv_columns WHERE table_schema = 'o''hara' AND table_name = 'select' ORDER BY ordinal_position;
