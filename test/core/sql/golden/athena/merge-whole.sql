MERGE INTO "shop"."orders" AS t
USING (
SELECT "_key_hash", "_op", "_version", "_committed_at", json_extract_scalar("_row", '$.customer_id') AS c0, CAST(json_extract_scalar("_row", '$.order') AS DECIMAL(38,9)) AS c1, json_extract_scalar("_row", '$.user') AS c2, CAST(json_extract_scalar("_row", '$.amount') AS DECIMAL(38,9)) AS c3, CAST(json_extract_scalar("_row", '$.table') AS BIGINT) AS c4, CAST(json_extract_scalar("_row", '$.ratio') AS DOUBLE) AS c5, CAST(json_extract_scalar("_row", '$.paid') AS BOOLEAN) AS c6, from_base64(json_extract_scalar("_row", '$.receipt')) AS c7, nullif(json_format(json_extract("_row", '$.items')), 'null') AS c8, CAST(json_extract_scalar("_row", '$.placed_at') AS TIMESTAMP(6)) AS c9, CAST(json_extract_scalar("_row", '$.due') AS DATE) AS c10, json_format(json_extract("_row", '$._rescued')) AS c11
FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row", row_number() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC, "_captured_at", "_schema", "_row") AS "_rank" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "shop"."orders__changes" FOR VERSION AS OF 7483920174839201748
)
) WHERE "_rank" = 1
)
) AS s
ON t."_key_hash" = s."_key_hash"
WHEN MATCHED AND s."_version" > t."_version" AND s."_op" = 'delete' THEN DELETE
WHEN MATCHED AND s."_version" > t."_version" THEN UPDATE SET "_version" = s."_version", "_committed_at" = s."_committed_at", "customer_id" = s.c0, "order" = s.c1, "user" = s.c2, "amount" = s.c3, "table" = s.c4, "ratio" = s.c5, "paid" = s.c6, "receipt" = s.c7, "items" = s.c8, "placed_at" = s.c9, "due" = s.c10, "_rescued" = s.c11
WHEN NOT MATCHED AND s."_op" <> 'delete' THEN INSERT ("_key_hash", "_version", "_committed_at", "customer_id", "order", "user", "amount", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_rescued")
VALUES (s."_key_hash", s."_version", s."_committed_at", s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.c7, s.c8, s.c9, s.c10, s.c11);
