-- Who may log in. A registration commits this row with its facts, so a server that is
-- not the writer can check a password.

CREATE TABLE credentials (
    claim text PRIMARY KEY,
    user_id text NOT NULL UNIQUE,
    account_id text NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL
);

-- The newest writer that kept credentials: its epoch, and the head of the log when that
-- epoch began. An older version that leads after it leaves hashes in the log alone.
CREATE TABLE credentials_writer (
    shard text PRIMARY KEY,
    epoch bigint NOT NULL,
    log_position bigint NOT NULL
);

INSERT INTO credentials_writer
    SELECT 'main', -1, coalesce(max(notification_id), 0) FROM events;

-- Older facts hold the hash of the password.
CREATE OR REPLACE FUNCTION fill_credentials(after bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO credentials
    SELECT data ->> 'claim', substr(originator_id, length('user-') + 1),
        data ->> 'account_id', data ->> 'password_hash', '{trader}'
    FROM events, LATERAL (
        SELECT replace(convert_from(state, 'UTF8'), '\u0000', '\ufffd')::jsonb AS data
    ) AS form
    WHERE notification_id > after AND topic = 'user.registered'
        AND data ? 'password_hash'
    ORDER BY notification_id
    ON CONFLICT DO NOTHING;

    UPDATE credentials SET roles = ARRAY(
        SELECT DISTINCT role FROM unnest(credentials.roles || granted.roles) AS role
    )
    FROM (
        SELECT substr(originator_id, length('user-') + 1) AS user_id,
            array_agg(convert_from(state, 'UTF8')::jsonb ->> 'role') AS roles
        FROM events
        WHERE notification_id > after AND topic = 'user.role-granted'
        GROUP BY originator_id
    ) AS granted
    WHERE credentials.user_id = granted.user_id
$$;

SELECT fill_credentials(0);

-- Versions without migrations cannot read a registration without a hash. They write the
-- number of their own schema when they start.
UPDATE installation SET value = 'numbered' WHERE name = 'schema';

CREATE OR REPLACE FUNCTION refuse_older_schema() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a newer version of Bourse migrated this database; start that one';
END
$$;

CREATE OR REPLACE TRIGGER schema_is_numbered
    BEFORE INSERT OR UPDATE ON installation
    FOR EACH ROW WHEN (NEW.name = 'schema' AND NEW.value = '2')
    EXECUTE FUNCTION refuse_older_schema();
