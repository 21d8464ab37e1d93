CREATE OR REPLACE VIEW "shop"."orders_live" AS
WITH "_fresh" AS (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row", row_number() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC, "_captured_at", "_schema", "_row") AS "_rank" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM (SELECT * FROM "shop"."orders__changes" WHERE "_captured_at" > CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(6)) - INTERVAL '25' HOUR)
UNION ALL
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "shop"."orders__changes" WHERE "_op" = 'delete' AND "_committed_at" >= (SELECT min("_committed_at") FROM (SELECT * FROM "shop"."orders__changes" WHERE "_captured_at" > CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(6)) - INTERVAL '25' HOUR)) - INTERVAL '5' MINUTE
)
) WHERE "_rank" = 1
)
SELECT s."customer_id", s."order", s."user", s."amount", s."table", s."ratio", s."paid", s."receipt", s."items", s."placed_at", s."due", s."_key_hash", s."_version", s."_committed_at", s."_rescued"
FROM "shop"."orders" AS s
LEFT JOIN (SELECT "_key_hash", "_version" FROM "_fresh") AS f ON f."_key_hash" = s."_key_hash"
WHERE f."_version" IS NULL OR f."_version" <= s."_version"
UNION ALL
SELECT json_extract_scalar("_row", '$.customer_id') AS "customer_id", CAST(json_extract_scalar("_row", '$.order') AS DECIMAL(38,9)) AS "order", json_extract_scalar("_row", '$.user') AS "user", CAST(json_extract_scalar("_row", '$.amount') AS DECIMAL(38,9)) AS "amount", CAST(json_extract_scalar("_row", '$.table') AS BIGINT) AS "table", CAST(json_extract_scalar("_row", '$.ratio') AS DOUBLE) AS "ratio", CAST(json_extract_scalar("_row", '$.paid') AS BOOLEAN) AS "paid", from_base64(json_extract_scalar("_row", '$.receipt')) AS "receipt", nullif(json_format(json_extract("_row", '$.items')), 'null') AS "items", CAST(json_extract_scalar("_row", '$.placed_at') AS TIMESTAMP(6)) AS "placed_at", CAST(json_extract_scalar("_row", '$.due') AS DATE) AS "due", f."_key_hash", f."_version", f."_committed_at", json_format(json_extract("_row", '$._rescued')) AS "_rescued"
FROM (SELECT "_key_hash" AS "_held_hash", "_version" AS "_held_version" FROM "shop"."orders") AS h
RIGHT JOIN "_fresh" AS f ON h."_held_hash" = f."_key_hash"
WHERE f."_op" <> 'delete' AND (h."_held_version" IS NULL OR h."_held_version" < f."_version");

CREATE OR REPLACE VIEW "shop"."orders_history" AS
SELECT json_extract_scalar("_row", '$.customer_id') AS "customer_id", CAST(json_extract_scalar("_row", '$.order') AS DECIMAL(38,9)) AS "order", json_extract_scalar("_row", '$.user') AS "user", CAST(json_extract_scalar("_row", '$.amount') AS DECIMAL(38,9)) AS "amount", CAST(json_extract_scalar("_row", '$.table') AS BIGINT) AS "table", CAST(json_extract_scalar("_row", '$.ratio') AS DOUBLE) AS "ratio", CAST(json_extract_scalar("_row", '$.paid') AS BOOLEAN) AS "paid", from_base64(json_extract_scalar("_row", '$.receipt')) AS "receipt", nullif(json_format(json_extract("_row", '$.items')), 'null') AS "items", CAST(json_extract_scalar("_row", '$.placed_at') AS TIMESTAMP(6)) AS "placed_at", CAST(json_extract_scalar("_row", '$.due') AS DATE) AS "due", json_format(json_extract("_row", '$._rescued')) AS "_rescued", "_key_hash", "_version", "_op", "_cause", "_valid_from", "_valid_to"
FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_row", "_committed_at" AS "_valid_from", lead("_committed_at") OVER (PARTITION BY "_key_hash" ORDER BY "_version") AS "_valid_to" FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_committed_at", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_committed_at", "_row", row_number() OVER (PARTITION BY "_key_hash", "_version" ORDER BY "_captured_at", "_schema", "_row") AS "_rank" FROM "shop"."orders__changes"
) WHERE "_rank" = 1
)
)
WHERE "_op" <> 'delete' AND ("_op" <> 'snapshot' OR "_valid_to" IS NULL OR "_valid_to" > "_valid_from");
