WITH "_fresh" AS (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row", row_number() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC, "_captured_at", "_schema", "_row") AS "_rank" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "unmerged"
UNION ALL
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "orders__changes" WHERE "_op" = 'delete' AND "_committed_at" >= (SELECT min("_committed_at") FROM "unmerged") - INTERVAL '5' MINUTE
)
) WHERE "_rank" = 1
)
SELECT s."customer_id", s."order", s."user", s."amount", s."table", s."ratio", s."paid", s."receipt", s."items", s."placed_at", s."due", s."_key_hash", s."_version", s."_committed_at", s."_rescued"
FROM "orders" AS s
LEFT JOIN (SELECT "_key_hash", "_version" FROM "_fresh") AS f ON f."_key_hash" = s."_key_hash"
WHERE f."_version" IS NULL OR f."_version" <= s."_version"
UNION ALL
SELECT json_extract_string("_row", '$."customer_id"') AS "customer_id", coalesce(TRY_CAST(json_extract_string("_row", '$."order"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."order"')::DECIMAL(38,9)) AS "order", json_extract_string("_row", '$."user"') AS "user", coalesce(TRY_CAST(json_extract_string("_row", '$."amount"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."amount"')::DECIMAL(38,9)) AS "amount", json_extract_string("_row", '$."table"')::BIGINT AS "table", json_extract_string("_row", '$."ratio"')::DOUBLE AS "ratio", json_extract_string("_row", '$."paid"')::BOOLEAN AS "paid", from_base64(json_extract_string("_row", '$."receipt"')) AS "receipt", nullif(json_extract("_row", '$."items"'), 'null')::VARCHAR AS "items", json_extract_string("_row", '$."placed_at"')::TIMESTAMP AS "placed_at", json_extract_string("_row", '$."due"')::DATE AS "due", f."_key_hash", f."_version", f."_committed_at", json_extract("_row", '$._rescued')::VARCHAR AS "_rescued"
FROM (SELECT "_key_hash" AS "_held_hash", "_version" AS "_held_version" FROM "orders") AS h
RIGHT JOIN "_fresh" AS f ON h."_held_hash" = f."_key_hash"
WHERE f."_op" <> 'delete' AND (h."_held_version" IS NULL OR h."_held_version" < f."_version");

SELECT json_extract_string("_row", '$."customer_id"') AS "customer_id", coalesce(TRY_CAST(json_extract_string("_row", '$."order"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."order"')::DECIMAL(38,9)) AS "order", json_extract_string("_row", '$."user"') AS "user", coalesce(TRY_CAST(json_extract_string("_row", '$."amount"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."amount"')::DECIMAL(38,9)) AS "amount", json_extract_string("_row", '$."table"')::BIGINT AS "table", json_extract_string("_row", '$."ratio"')::DOUBLE AS "ratio", json_extract_string("_row", '$."paid"')::BOOLEAN AS "paid", from_base64(json_extract_string("_row", '$."receipt"')) AS "receipt", nullif(json_extract("_row", '$."items"'), 'null')::VARCHAR AS "items", json_extract_string("_row", '$."placed_at"')::TIMESTAMP AS "placed_at", json_extract_string("_row", '$."due"')::DATE AS "due", json_extract("_row", '$._rescued')::VARCHAR AS "_rescued", "_key_hash", "_version", "_op", "_cause", "_valid_from", "_valid_to"
FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_row", "_committed_at" AS "_valid_from", lead("_committed_at") OVER (PARTITION BY "_key_hash" ORDER BY "_version") AS "_valid_to" FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_committed_at", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_cause", "_committed_at", "_row", row_number() OVER (PARTITION BY "_key_hash", "_version" ORDER BY "_captured_at", "_schema", "_row") AS "_rank" FROM "orders__changes"
) WHERE "_rank" = 1
)
)
WHERE "_op" <> 'delete' AND ("_op" <> 'snapshot' OR "_valid_to" IS NULL OR "_valid_to" > "_valid_from");
