-- Security refusals of any server, until the writer has recorded or dropped them. A
-- handled row stays for some minutes, so that a note which is sent again is known.

CREATE TABLE security_outbox (
    note_id text PRIMARY KEY,
    fact bytea NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz
);

CREATE INDEX security_outbox_pending ON security_outbox (noted_at, note_id)
    WHERE handled_at IS NULL;
