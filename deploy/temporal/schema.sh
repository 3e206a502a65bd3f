#!/bin/sh
# Creates and upgrades Temporal's two databases. Run on every start: what is there already is left alone.
# temporal-sql-tool itself reads SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

: "${SQL_HOST:?}" "${SQL_PORT:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"

for database in temporal temporal_visibility; do
    folder=${database#temporal_}
    temporal-sql-tool --plugin postgres12 --database "$database" create-database
    temporal-sql-tool --plugin postgres12 --database "$database" setup-schema --version 0.0
    temporal-sql-tool --plugin postgres12 --database "$database" update-schema \
        --schema-dir "/etc/temporal/schema/postgresql/v12/$folder/versioned"
done
