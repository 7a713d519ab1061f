// Written from sql/ by `make reference`; a test keeps it fresh.
// swift-format-ignore-file

extension StoreSchema {
    static let files: [(name: String, text: String)] = [
        (name: "0001-store.sql", text: #"""
                -- The bank's memory: the store's own tables, and the history that is projected from the log.
                -- @oldest 1
                --
                -- Ids are 16 bytes in UUIDv7 form: their first 48 bits are milliseconds, so the order of ids is the order of time, the key of every
                -- history table is its time index too, and PostgreSQL's months are ranges of ids (partitions are made by code ahead of time).
                -- Times are milliseconds since 1970, UTC. sealed is ciphertext as it stands in the log, with the id of its key. Why it is cut so:
                -- docs/decisions/0009-store.md.

                CREATE TABLE meta (
                    name TEXT NOT NULL PRIMARY KEY,
                    value TEXT NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- Who may administer: people and programs, by the hash of their key. rights: words with blanks between. unit: NULL is the whole bank.
                -- mac is over all other columns.
                CREATE TABLE principal (
                    id BIGINT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    name TEXT NOT NULL,
                    key_hash BYTEA NOT NULL,
                    rights TEXT NOT NULL,
                    unit BIGINT,
                    created_at BIGINT NOT NULL,
                    revoked_at BIGINT,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX principal_name ON principal (name);
                CREATE UNIQUE INDEX principal_key ON principal (key_hash);

                -- What was done, by whom, each entry holding the hash of the one before (docs/reference/audit-format.md). at is microseconds. sealed holds
                -- salt and bytes of the details, commitment what the entry says of them.
                CREATE TABLE audit (
                    sequence BIGINT NOT NULL PRIMARY KEY,
                    at BIGINT NOT NULL,
                    principal TEXT NOT NULL,
                    act TEXT NOT NULL,
                    object TEXT NOT NULL,
                    outcome TEXT NOT NULL,
                    reason TEXT,
                    commitment BYTEA,
                    previous BYTEA NOT NULL,
                    hash BYTEA NOT NULL,
                    key_id BIGINT NOT NULL,
                    sealed BYTEA
                ) STRICT; -- @sqlite
                ); -- @postgres
                CREATE INDEX audit_principal ON audit (principal, sequence);
                CREATE INDEX audit_object ON audit (object, sequence);

                -- One row: who writes an entry locks it first.
                CREATE TABLE audit_lock (
                    id SMALLINT NOT NULL PRIMARY KEY,
                    taken BIGINT NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                INSERT INTO audit_lock (id, taken) VALUES (1, 0);

                -- How far a follower has come in each partition of the log; written in the transaction of the rows.
                CREATE TABLE cursor (
                    follower TEXT NOT NULL,
                    partition SMALLINT NOT NULL,
                    sequence BIGINT NOT NULL,
                    position BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL,
                    PRIMARY KEY (follower, partition)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- An obligation as it was accepted. Never changed.
                CREATE TABLE notification (
                    id BYTEA NOT NULL PRIMARY KEY,
                    source INTEGER NOT NULL,
                    class SMALLINT NOT NULL,
                    received_at BIGINT NOT NULL,
                    deadline BIGINT NOT NULL,
                    event BYTEA,
                    key_id BIGINT NOT NULL,
                    sealed BYTEA
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- One rendering on one channel. Changed only where its source replaced the text.
                CREATE TABLE message (
                    id BYTEA NOT NULL PRIMARY KEY,
                    channel SMALLINT NOT NULL,
                    parts SMALLINT NOT NULL,
                    key_id BIGINT NOT NULL,
                    sealed BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- What a search goes through: the ids with a value of one kind (customer, phone, email, reference, source: numbers of SearchKind), by
                -- quarter of an hour. hash is the value's keyed hash of 8 bytes, or the number of a source or customer. The quarter stands first so that what is
                -- written now lies together: an index by hash alone is written all over, a page for a row.
                CREATE TABLE lookup (
                    slot INTEGER NOT NULL,
                    kind SMALLINT NOT NULL,
                    hash BIGINT NOT NULL,
                    id BYTEA NOT NULL,
                    PRIMARY KEY (slot, kind, hash, id)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (slot); -- @postgres

                -- Where a notification (ordinal 0 of its id) or a message stands: the one row that changes, and so small and without an index
                -- beside its key. mac is over all other columns under the store's key.
                CREATE TABLE state (
                    id BYTEA NOT NULL PRIMARY KEY,
                    sequence BIGINT NOT NULL,
                    state SMALLINT NOT NULL,
                    reason SMALLINT NOT NULL,
                    flags INTEGER NOT NULL,
                    route SMALLINT NOT NULL,
                    attempts SMALLINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    ended_at BIGINT,
                    told SMALLINT,
                    told_at BIGINT,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- Ends other than delivered, which are few: what a search by state and reason goes through.
                CREATE TABLE undelivered (
                    id BYTEA NOT NULL,
                    state SMALLINT NOT NULL,
                    reason SMALLINT NOT NULL,
                    source INTEGER NOT NULL,
                    PRIMARY KEY (state, id)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- One hand-over of one part to a provider, and its answer.
                CREATE TABLE attempt (
                    id BYTEA NOT NULL,
                    sequence BIGINT NOT NULL,
                    attempt SMALLINT NOT NULL,
                    part SMALLINT NOT NULL,
                    outcome SMALLINT NOT NULL,
                    status BIGINT NOT NULL,
                    handed_at BIGINT NOT NULL,
                    answered_at BIGINT NOT NULL,
                    connection TEXT NOT NULL,
                    provider_id TEXT,
                    PRIMARY KEY (id, sequence)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- What a provider reported later of one part.
                CREATE TABLE receipt (
                    id BYTEA NOT NULL,
                    sequence BIGINT NOT NULL,
                    part SMALLINT NOT NULL,
                    state SMALLINT NOT NULL,
                    error INTEGER NOT NULL,
                    heard_at BIGINT NOT NULL,
                    provider_id TEXT NOT NULL,
                    PRIMARY KEY (id, sequence)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                -- A message from a customer.
                CREATE TABLE inbound (
                    id BYTEA NOT NULL PRIMARY KEY,
                    source INTEGER NOT NULL,
                    route SMALLINT NOT NULL,
                    received_at BIGINT NOT NULL,
                    parts SMALLINT NOT NULL,
                    missing SMALLINT NOT NULL,
                    in_reply_to BYTEA,
                    key_id BIGINT NOT NULL,
                    sealed BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                """#),
        (name: "0002-customers.sql", text: #"""
                -- Customers: what a decision reads of them in clear, what is personal sealed under each customer's own key, keyed hashes to find them by.
                -- @oldest 1
                --
                -- Who writes here takes the next number of customer_change first and holds it to the end of the transaction: so numbers become visible in
                -- their order, and whoever asks for what came after a number misses nothing. Why it is cut so: docs/decisions/0013-customers.md.

                -- The newest number of a change. One row.
                CREATE TABLE customer_change (
                    id SMALLINT NOT NULL PRIMARY KEY,
                    number BIGINT NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                INSERT INTO customer_change (id, number) VALUES (1, 0);

                -- reference: keyed hash of the bank's reference. addresses: number, kind and keyed hash of each contact point, 10 bytes each. clear: a customer
                -- record v1, sealed: its details v1 (docs/reference/customer-files.md). Of an erased customer the row stays, with nothing in these four.
                -- mac is over all other columns.
                CREATE TABLE customer (
                    subject BIGINT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    unit INTEGER NOT NULL,
                    reference BIGINT,
                    addresses BYTEA NOT NULL,
                    clear BYTEA NOT NULL,
                    sealed BYTEA NOT NULL,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    erased_at BIGINT,
                    change BIGINT NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX customer_reference ON customer (reference);
                CREATE UNIQUE INDEX customer_by_change ON customer (change);

                -- Who is found by an address: kind 1 phone, 2 email, 3 device's token. Made from customer.addresses, which carry the tag.
                CREATE TABLE customer_address (
                    kind SMALLINT NOT NULL,
                    hash BIGINT NOT NULL,
                    subject BIGINT NOT NULL,
                    number SMALLINT NOT NULL,
                    PRIMARY KEY (kind, hash, subject, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- What was learnt of an address, whoever has it: dead or alive, opted out or in. It outlives its customers, so that who comes with the address
                -- later is not asked once more. mac is over all other columns.
                CREATE TABLE address_fact (
                    kind SMALLINT NOT NULL,
                    hash BIGINT NOT NULL,
                    life SMALLINT,
                    life_at BIGINT,
                    wish SMALLINT,
                    wish_at BIGINT,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (kind, hash)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- Who said what when, by which way, with which proof. Written once; erasure takes the sealed proof out. number rises for each customer. channel 0:
                -- all. at: when it was said, entered_at: when Martlet heard. source: who entered it. mac is over all other columns.
                CREATE TABLE consent (
                    subject BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    purpose INTEGER NOT NULL,
                    channel SMALLINT NOT NULL,
                    state SMALLINT NOT NULL,
                    at BIGINT NOT NULL,
                    entered_at BIGINT NOT NULL,
                    way SMALLINT NOT NULL,
                    source TEXT NOT NULL,
                    text_version TEXT NOT NULL,
                    sealed BYTEA,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (subject, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- What the bank had to do with a customer elsewhere: at a branch, by telephone, on a social page. Erased with the customer. mac as above.
                CREATE TABLE contact (
                    subject BIGINT NOT NULL,
                    at BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    kind SMALLINT NOT NULL,
                    unit INTEGER NOT NULL,
                    entered_at BIGINT NOT NULL,
                    source TEXT NOT NULL,
                    sealed BYTEA NOT NULL,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (subject, at, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- How far the import of a file has come; written in the transaction of its rows. position (byte), line: where it goes on. errors_at: bytes of the file of
                -- errors that belong to what was read.
                CREATE TABLE import (
                    id TEXT NOT NULL PRIMARY KEY,
                    state SMALLINT NOT NULL,
                    source TEXT NOT NULL,
                    position BIGINT NOT NULL,
                    line BIGINT NOT NULL,
                    errors_at BIGINT NOT NULL,
                    added BIGINT NOT NULL,
                    changed BIGINT NOT NULL,
                    same BIGINT NOT NULL,
                    refused BIGINT NOT NULL,
                    started_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0003-reference.sql", text: #"""
                -- Reference data: units of the bank, sources as the desk knows them, what the bank defined; and the rulebook with all its versions.
                -- @oldest 1
                --
                -- Numbers are given once and never again. unit NULL is the whole bank; owner is who made it. version counts the changes of a row. mac is
                -- over all other columns. Times are milliseconds since 1970, UTC.

                CREATE TABLE unit (
                    number BIGINT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    code TEXT NOT NULL,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    parent BIGINT,
                    zone TEXT NOT NULL,
                    locale TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX unit_code ON unit (code);

                -- What people say of a sender system. Its name, keys and limits are the node's, in the file of sources under the data directory, by the
                -- same number; pending is what the desk still has to write there.
                CREATE TABLE source (
                    number BIGINT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    unit BIGINT,
                    owner TEXT NOT NULL,
                    pending TEXT,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- Apps, packages, purposes, segments, tiers, attributes of customers, kinds of contact. Below 16 are those that every installation has.
                -- details: canonical JSON, by kind.
                CREATE TABLE definition (
                    kind TEXT NOT NULL,
                    number BIGINT NOT NULL,
                    version BIGINT NOT NULL,
                    code TEXT NOT NULL,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    unit BIGINT,
                    owner TEXT NOT NULL,
                    details TEXT NOT NULL,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    retired_at BIGINT,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (kind, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX definition_code ON definition (kind, code);

                -- An object of the rulebook; newest is the number of its newest version.
                CREATE TABLE rulebook_object (
                    number BIGINT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    kind TEXT NOT NULL,
                    key TEXT NOT NULL,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    unit BIGINT,
                    owner TEXT NOT NULL,
                    newest BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX rulebook_object_key ON rulebook_object (kind, key);

                -- Never changed. Whether a version is a draft, published or retired follows from the releases it is in. content is canonical JSON, hash its
                -- SHA-256, which stands for it in the mac.
                CREATE TABLE rulebook_version (
                    object BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    author TEXT NOT NULL,
                    at BIGINT NOT NULL,
                    note TEXT NOT NULL,
                    content TEXT NOT NULL,
                    hash BYTEA NOT NULL,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (object, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                -- Never changed. hash is that of the file which the node gets, over its number, its time and every object with its content: no entry can
                -- be added, taken out or exchanged unseen. restores: the release it rolled back to.
                CREATE TABLE rulebook_release (
                    number BIGINT NOT NULL PRIMARY KEY,
                    at BIGINT NOT NULL,
                    author TEXT NOT NULL,
                    note TEXT NOT NULL,
                    restores BIGINT,
                    hash BYTEA NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                CREATE TABLE rulebook_entry (
                    release BIGINT NOT NULL,
                    object BIGINT NOT NULL,
                    version BIGINT NOT NULL,
                    PRIMARY KEY (release, object)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE INDEX rulebook_entry_object ON rulebook_entry (object, version);

                """#),
        (name: "0004-statistics.sql", text: #"""
                -- Counts of messages by the hour of their acceptance (UTC): filled additively from the log in the transaction of the history's rows, so
                -- that nothing is looked up and each record counts once. What each column counts: docs/reference/statistics.md.
                -- @oldest 1

                -- hour counts since 1970. state 0: what counts without an end (accepted messages and all that happens to them); else the end, with its
                -- reason. route is the connection group. An hour's counts change for as long as messages of it end.
                CREATE TABLE traffic (
                    hour INTEGER NOT NULL,
                    source INTEGER NOT NULL,
                    class SMALLINT NOT NULL,
                    channel SMALLINT NOT NULL,
                    route SMALLINT NOT NULL,
                    state SMALLINT NOT NULL,
                    reason SMALLINT NOT NULL,
                    messages BIGINT NOT NULL,
                    parts BIGINT NOT NULL,
                    submits BIGINT NOT NULL,
                    duplicates BIGINT NOT NULL,
                    late BIGINT NOT NULL,
                    PRIMARY KEY (hour, source, class, channel, route, state, reason)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0005-imports.sql", text: #"""
                -- Files that the desk imports, one after the other: what was handed in, by whom, and what became of it.
                -- @oldest 1

                -- The file lies sealed under the data directory (desk/imports) by the same id until it is read to its end. place: the row of `import` that says how
                -- far it is read. state 1 waiting, 2 running, 3 done, 4 stopped, 5 cancelled. options: canonical JSON. source: who handed it in. fault: why
                -- it stopped; nothing personal. mac is over all other columns.
                CREATE TABLE import_job (
                    id TEXT NOT NULL PRIMARY KEY,
                    version BIGINT NOT NULL,
                    kind TEXT NOT NULL,
                    state SMALLINT NOT NULL,
                    place TEXT NOT NULL,
                    options TEXT NOT NULL,
                    size BIGINT NOT NULL,
                    source TEXT NOT NULL,
                    reason TEXT,
                    fault TEXT,
                    created_at BIGINT NOT NULL,
                    changed_at BIGINT NOT NULL,
                    mac BYTEA NOT NULL
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE INDEX import_job_state ON import_job (state, id);
                CREATE INDEX import_job_place ON import_job (place);
                CREATE INDEX import_changed ON import (changed_at);

                """#),
        (name: "0006-search-parts.sql", text: #"""
                -- Search entries of a busy quarter of an hour lie in parts, so that what is written now stays together however much it is.
                -- @oldest 6

                -- Where the parts of a quarter begin that has more than one: ids from first_id on, up to the next part's. Those before part 1 are in part 0,
                -- which has no row. A part's entries stand in `lookup` under its kind and 16 times its number. Rows are never changed: which part an id is
                -- in was settled before its entries were written. Why: docs/decisions/0009-store.md.
                CREATE TABLE lookup_part (
                    slot INTEGER NOT NULL,
                    part SMALLINT NOT NULL,
                    first_id BYTEA NOT NULL,
                    PRIMARY KEY (slot, part)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0007-steps.sql", text: #"""
                -- What happened to a message in between: its provider was asked, an operator moved it, a restart or its provider's profile planned it anew, its
                -- text was replaced. Few messages have any.
                -- @oldest 1

                -- record is the log's own, header and clear part (docs/reference/record-format.md); what was sealed of it is not here.
                CREATE TABLE step (
                    id BYTEA NOT NULL,
                    sequence BIGINT NOT NULL,
                    record BYTEA NOT NULL,
                    PRIMARY KEY (id, sequence)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres

                """#),
        (name: "0008-erasures.sql", text: #"""
                -- Erasures of customers whose messages are still to be forgotten, or could come again out of the log.
                -- @oldest 1

                -- By which addresses a customer who was erased is taken out of the history. A row stays open (done_at NULL) until all that the log held at the time of the
                -- wish is in the history and has been forgotten there, and goes when the log holds nothing from before the wish. hash is the keyed hash of the
                -- address, shared says that another customer had it too. Times are milliseconds since 1970, UTC.
                CREATE TABLE erasure (
                    subject BIGINT NOT NULL,
                    kind SMALLINT NOT NULL,
                    hash BIGINT NOT NULL,
                    shared SMALLINT NOT NULL,
                    wished_at BIGINT NOT NULL,
                    done_at BIGINT,
                    PRIMARY KEY (subject, kind, hash)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE INDEX erasure_open ON erasure (done_at, subject, kind, hash);

                """#),
        (name: "0009-packages.sql", text: #"""
                -- Numbers of the rulebook's events and event types, given once; and what customers connected, changed and disconnected when.
                -- @oldest 9
                --
                -- A program that does not know these tables would leave rows of erased customers in them.

                -- By what records and customers name an object of the rulebook: given by the desk, never another, never given again, whatever becomes of the
                -- object. mac is over all other columns.
                CREATE TABLE rulebook_number (
                    kind TEXT NOT NULL,
                    number BIGINT NOT NULL,
                    key TEXT NOT NULL,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (kind, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres
                CREATE UNIQUE INDEX rulebook_number_key ON rulebook_number (kind, key);

                -- Written once, in the transaction of the customer's row; erased with the customer. number rises for each customer. scope_kind 0: for all accounts
                -- and cards, 1: for the account, 2: for the card with this keyed hash. act 1 connected, 2 changed, 3 disconnected. at: wall milliseconds. source: who
                -- did it. way 1 admin API, 2 file, 3 the customer through the bank's app, 4 the customer's handset. terms: the package as the customer's record
                -- has it from then on, of a disconnected one as it was last. mac is over all other columns.
                CREATE TABLE customer_package (
                    subject BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    package INTEGER NOT NULL,
                    scope_kind SMALLINT NOT NULL,
                    scope_hash BIGINT,
                    act SMALLINT NOT NULL,
                    at BIGINT NOT NULL,
                    source TEXT NOT NULL,
                    way SMALLINT NOT NULL,
                    terms BYTEA NOT NULL,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (subject, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0010-evidence-tags.sql", text: #"""
                -- Attempts and receipts are shown to be as Martlet wrote them.
                -- @oldest 9

                -- mac is over all other columns; rows that were written before have none.
                ALTER TABLE attempt ADD COLUMN mac BIGINT;
                ALTER TABLE receipt ADD COLUMN mac BIGINT;

                """#),
        (name: "0011-decisions.sql", text: #"""
                -- What was decided of events: a row for each decision, to be asked by event and time.
                -- @oldest 11
                --
                -- A program that does not know this table would leave rows in it of what it forgets.

                -- id: of the message that it is about, as in step, which holds the whole record. event, package: their numbers in the rulebook. outcome, reason, step: numbers of
                -- docs/reference/record-format.md; step counts from 0. at: wall milliseconds. mac is over all other columns.
                CREATE TABLE decision (
                    id BYTEA NOT NULL,
                    sequence BIGINT NOT NULL,
                    event INTEGER NOT NULL,
                    outcome SMALLINT NOT NULL,
                    reason SMALLINT,
                    package INTEGER,
                    release BIGINT NOT NULL,
                    step SMALLINT,
                    at BIGINT NOT NULL,
                    mac BIGINT,
                    PRIMARY KEY (id, sequence)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ) PARTITION BY RANGE (id); -- @postgres
                CREATE INDEX decision_event ON decision (event, at);

                -- Decisions by the hour in which they were made (UTC), filled additively as traffic is. reason 0: none.
                CREATE TABLE decision_count (
                    hour INTEGER NOT NULL,
                    source INTEGER NOT NULL,
                    class SMALLINT NOT NULL,
                    event INTEGER NOT NULL,
                    outcome SMALLINT NOT NULL,
                    reason SMALLINT NOT NULL,
                    decisions BIGINT NOT NULL,
                    PRIMARY KEY (hour, source, class, event, outcome, reason)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0012-approvals.sql", text: #"""
                -- Texts of the rulebook that somebody else than their author has to agree to.
                -- @oldest 11

                -- A row a version that was submitted. submitted_at and approved_at: wall milliseconds. approved_by: NULL until somebody agreed, never the author of the
                -- version. mac is over all other columns.
                CREATE TABLE rulebook_approval (
                    object BIGINT NOT NULL,
                    version BIGINT NOT NULL,
                    submitted_by TEXT NOT NULL,
                    submitted_at BIGINT NOT NULL,
                    approved_by TEXT,
                    approved_at BIGINT,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (object, version)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0013-images.sql", text: #"""
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

                """#),
        (name: "0014-origin-tags.sql", text: #"""
                -- What was accepted and received is shown to be as Martlet wrote it.
                -- @oldest 14
                --
                -- A program that does not know these tags would write rows without them, which are damage from here on.

                -- mac is over all other columns but event and sealed of notification, which stay empty. Rows that were written before have none; up to which
                -- message that may be stands in meta. message, inbound: 16 bytes, the first 8 of the row as it is, the others of the row as it is
                -- once key_id is 0 and sealed is empty, so that whoever forgets a text need not know the row.
                ALTER TABLE notification ADD COLUMN mac BIGINT;
                ALTER TABLE message ADD COLUMN mac BYTEA;
                ALTER TABLE inbound ADD COLUMN mac BYTEA;

                """#),
        (name: "0015-retired-objects.sql", text: #"""
                -- Objects of the rulebook that are used no more.
                -- @oldest 15
                --
                -- A program that does not know of them would publish them again, and write their rows with a tag that leaves this out.

                -- Wall milliseconds. It is in the mac, behind all other columns, where it is there: rows that were never retired have the mac that they had.
                ALTER TABLE rulebook_object ADD COLUMN retired_at BIGINT;

                """#),
        (name: "0016-urgent.sql", text: #"""
                -- Changes of customers that do not wait for the node's next base file.
                -- @oldest 11

                -- Which customers were changed by anything but a file: a line a change, in the order of customer_change, kept until the node has all changes up to
                -- it. However many customers a file writes meanwhile, these are found at once. Why: docs/decisions/0013-customers.md.
                CREATE TABLE customer_urgent (
                    change BIGINT NOT NULL PRIMARY KEY,
                    subject BIGINT NOT NULL
                ) STRICT; -- @sqlite
                ); -- @postgres

                """#),
        (name: "0017-set-aside.sql", text: #"""
                -- What waits for the row of a customer that is damaged.
                -- @oldest 11

                -- Customers whose row is not as Martlet wrote it: the node's copy is without them, and what they said waits here until the row is whole again. Number 0 of
                -- a customer stands for the row itself and has no word; each other number is a word on a package, in the order in which they were said. What was learnt of
                -- addresses is not here: address_fact has it. said_at: wall microseconds; message: that said so; noticed_at: wall milliseconds. mac is over all other
                -- columns. Why: docs/decisions/0013-customers.md.
                CREATE TABLE set_aside (
                    subject BIGINT NOT NULL,
                    number BIGINT NOT NULL,
                    package INTEGER,
                    wanted SMALLINT,
                    said_at BIGINT,
                    message BYTEA,
                    noticed_at BIGINT NOT NULL,
                    mac BYTEA NOT NULL,
                    PRIMARY KEY (subject, number)
                ) STRICT, WITHOUT ROWID; -- @sqlite
                ); -- @postgres

                """#),
    ]
}
