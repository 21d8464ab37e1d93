ALTER TABLE "shop_base"."orders" ADD COLUMN "group" SUPER;

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
  "_rescued",
  "group"
FROM "shop_base"."orders"
WHERE NOT "_deleted" WITH NO SCHEMA BINDING;
