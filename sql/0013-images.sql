-- Pictures that texts show, served to everybody who knows their names.
-- @oldest 11

-- name: 32 bytes in base64url, of which the second half is a tag over the first, so that a name that was never given is known as such without this
-- table. kind 1 PNG, 2 JPEG, 3 GIF. size: bytes of content; hash: its SHA-256, which stands for it in the mac. A row stays when its picture is deleted, so that
-- no number is given twice; content is empty then. unit NULL is the whole bank. mac is over all other columns. Times are milliseconds since 1970, UTC.
CREATE TABLE image (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    unit BIGINT,
    kind SMALLINT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size INTEGER NOT NULL,
    hash BYTEA NOT NULL,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    mac BYTEA NOT NULL,
    content BYTEA NOT NULL
) STRICT; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX image_name ON image (name);
CREATE INDEX image_kept ON image (deleted_at, number);
