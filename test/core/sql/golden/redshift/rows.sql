SELECT
  "_key_hash",
  "_version",
  CASE WHEN JSON_SIZE("_rescued") <= 11859 THEN JSON_SERIALIZE("_rescued") WHEN JSON_SIZE("_rescued") <= 65535 THEN '"#sha256:' || SHA2(JSON_SERIALIZE("_rescued"), 256) || '"' ELSE '"#bytes:' || JSON_SIZE("_rescued")::VARCHAR || '"' END,
  CASE WHEN OCTET_LENGTH("id") <= 11859 THEN "id" ELSE '#sha256:' || SHA2("id", 256) END,
  CASE WHEN OCTET_LENGTH("user") <= 11859 THEN "user" ELSE '#sha256:' || SHA2("user", 256) END,
  "amount"::VARCHAR(64),
  "units"::VARCHAR(64),
  "table"::VARCHAR(64),
  "ratio",
  CASE WHEN "paid" THEN 'true' WHEN NOT "paid" THEN 'false' END,
  CASE WHEN OCTET_LENGTH(FROM_VARBYTE("receipt", 'base64')) <= 11859 THEN FROM_VARBYTE("receipt", 'base64') ELSE '#sha256:' || SHA2(FROM_VARBYTE("receipt", 'base64'), 256) END,
  CASE WHEN JSON_SIZE("items") <= 11859 THEN JSON_SERIALIZE("items") WHEN JSON_SIZE("items") <= 65535 THEN '"#sha256:' || SHA2(JSON_SERIALIZE("items"), 256) || '"' ELSE '"#bytes:' || JSON_SIZE("items")::VARCHAR || '"' END,
  TO_CHAR("placed_at", 'YYYY-MM-DD HH24:MI:SS.US'),
  TO_CHAR("due", 'YYYY-MM-DD')
FROM "shop_base"."orders"
WHERE NOT "_deleted";

SELECT
  "_key_hash",
  "_version",
  CASE WHEN JSON_SIZE("_rescued") <= 11859 THEN JSON_SERIALIZE("_rescued") WHEN JSON_SIZE("_rescued") <= 65535 THEN '"#sha256:' || SHA2(JSON_SERIALIZE("_rescued"), 256) || '"' ELSE '"#bytes:' || JSON_SIZE("_rescued")::VARCHAR || '"' END,
  CASE WHEN OCTET_LENGTH("id") <= 11859 THEN "id" ELSE '#sha256:' || SHA2("id", 256) END,
  CASE WHEN OCTET_LENGTH("user") <= 11859 THEN "user" ELSE '#sha256:' || SHA2("user", 256) END,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR,
  NULL::VARCHAR
FROM "shop_base"."orders"
WHERE NOT "_deleted" AND "_key_hash" IN ('0eb5b8d6f81bc677da8a08567cc4fa9a');
