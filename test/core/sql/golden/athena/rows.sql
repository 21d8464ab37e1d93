SELECT
  "_key_hash",
  "_version",
  "_rescued",
  "id",
  "user",
  CAST("amount" AS VARCHAR),
  CAST("units" AS VARCHAR),
  CAST("table" AS VARCHAR),
  CAST("ratio" AS VARCHAR),
  CAST("paid" AS VARCHAR),
  to_base64("receipt"),
  "items",
  CAST("placed_at" AS VARCHAR),
  CAST("due" AS VARCHAR)
FROM "shop"."orders";

SELECT
  "_key_hash",
  "_version",
  "_rescued",
  "id",
  "user",
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR),
  CAST(NULL AS VARCHAR)
FROM "shop"."orders"
WHERE "_key_hash" IN ('0eb5b8d6f81bc677da8a08567cc4fa9a');

SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'orders';
