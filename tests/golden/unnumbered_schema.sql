-- The tables as Bourse made them before migrations had numbers (commit a43e954).

CREATE TABLE IF NOT EXISTS events (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);

CREATE UNIQUE INDEX IF NOT EXISTS events_notification_id_idx
    ON events (notification_id);

CREATE TABLE IF NOT EXISTS events_lock ();

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is immutable: % on % is refused', TG_OP, TG_TABLE_NAME;
END
$$;

CREATE OR REPLACE TRIGGER events_are_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE IF NOT EXISTS log_lease (
    shard text PRIMARY KEY,
    epoch bigint NOT NULL,
    holder text,
    backend_pid integer,
    backend_start timestamptz
);

CREATE TABLE IF NOT EXISTS log_heartbeat (
    shard text PRIMARY KEY,
    epoch bigint NOT NULL,
    beat_at timestamptz NOT NULL
);

INSERT INTO log_lease VALUES ('main', 0) ON CONFLICT DO NOTHING;

INSERT INTO log_heartbeat VALUES ('main', 0, 'epoch') ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS tracking (
    application_name text PRIMARY KEY,
    notification_id bigint
);

INSERT INTO tracking VALUES ('__migration__', 1) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS snapshots (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text,
    state bytea,
    PRIMARY KEY (originator_id, originator_version)
);

ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

CREATE TABLE IF NOT EXISTS snapshot_index (
    log_position bigint PRIMARY KEY,
    chunks integer NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS personal_keys (
    user_id text PRIMARY KEY,
    wrapped_key bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS installation (
    name text PRIMARY KEY,
    value text NOT NULL
);

CREATE OR REPLACE VIEW audit_events AS
SELECT
    notification_id AS log_position,
    originator_id AS stream,
    originator_version AS version,
    topic,
    timestamptz 'epoch' + (data #>> '{meta,at}')::bigint
        * interval '1 microsecond' AS at,
    data #>> '{meta,actor}' AS actor,
    data #>> '{meta,command_id}' AS command_id,
    coalesce(data #>> '{meta,correlation}', data #>> '{meta,command_id}')
        AS correlation_id,
    data
FROM events, LATERAL (
    -- A NUL in a single text would make all of the log unreadable.
    SELECT replace(convert_from(state, 'UTF8'), '\u0000', '\ufffd')::jsonb AS data
) AS form;

INSERT INTO installation VALUES ('schema', '2')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
