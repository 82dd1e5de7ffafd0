"""The log in Postgres: tables, lease, appends, reads, snapshots, backups."""
