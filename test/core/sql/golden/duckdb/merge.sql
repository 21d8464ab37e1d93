MERGE INTO "shop"."orders" AS t
USING (
SELECT "_key_hash", "_op", "_version", "_committed_at", json_extract_string("_row", '$."customer_id"') AS c0, coalesce(TRY_CAST(json_extract_string("_row", '$."order"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."order"')::DECIMAL(38,9)) AS c1, json_extract_string("_row", '$."user"') AS c2, coalesce(TRY_CAST(json_extract_string("_row", '$."amount"') AS DECIMAL(18,9))::DECIMAL(38,9), json_extract_string("_row", '$."amount"')::DECIMAL(38,9)) AS c3, json_extract_string("_row", '$."table"')::BIGINT AS c4, json_extract_string("_row", '$."ratio"')::DOUBLE AS c5, json_extract_string("_row", '$."paid"')::BOOLEAN AS c6, from_base64(json_extract_string("_row", '$."receipt"')) AS c7, nullif(json_extract("_row", '$."items"'), 'null')::VARCHAR AS c8, json_extract_string("_row", '$."placed_at"')::TIMESTAMP AS c9, json_extract_string("_row", '$."due"')::DATE AS c10, json_extract("_row", '$._rescued')::VARCHAR AS c11
FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row", row_number() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC, "_captured_at", "_schema", "_row") AS "_rank" FROM (
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "shop"."orders__changes" WHERE "_file" IN ('s3://lake/tables/orders__changes/data/_captured_at_day=2026-09-21/_op=update/00001-6a3c1f0e.parquet', 's3://lake/tables/orders__changes/data/_captured_at_day=2026-09-21/_op=update/00002-6a3c1f0e.parquet', 's3://lake/tables/orders__changes/data/_captured_at_day=2026-09-21/_op=update/00003-6a3c1f0e.parquet') AND "_op" IN ('delete', 'insert', 'update') AND "_captured_at" BETWEEN TIMESTAMP '2026-09-21 14:13:22.123457' AND TIMESTAMP '2026-09-21 14:13:23.123459'
UNION ALL
SELECT "_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row" FROM "shop"."orders__changes" WHERE "_op" = 'delete' AND "_committed_at" >= TIMESTAMP '2026-09-21 14:08:20.123457' AND "_captured_at" >= TIMESTAMP '2026-09-20 14:08:20.123457'
)
) WHERE "_rank" = 1
)
) AS s
ON t."_key_hash" = s."_key_hash"
WHEN MATCHED AND s."_version" > t."_version" AND s."_op" = 'delete' THEN DELETE
WHEN MATCHED AND s."_version" > t."_version" THEN UPDATE SET "_version" = s."_version", "_committed_at" = s."_committed_at", "customer_id" = s.c0, "order" = s.c1, "user" = s.c2, "amount" = s.c3, "table" = s.c4, "ratio" = s.c5, "paid" = s.c6, "receipt" = s.c7, "items" = s.c8, "placed_at" = s.c9, "due" = s.c10, "_rescued" = s.c11
WHEN NOT MATCHED AND s."_op" <> 'delete' THEN INSERT ("_key_hash", "_version", "_committed_at", "customer_id", "order", "user", "amount", "table", "ratio", "paid", "receipt", "items", "placed_at", "due", "_rescued")
VALUES (s."_key_hash", s."_version", s."_committed_at", s.c0, s.c1, s.c2, s.c3, s.c4, s.c5, s.c6, s.c7, s.c8, s.c9, s.c10, s.c11);
