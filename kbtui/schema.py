"""The tables of the mirror, as the steps that lead to them. A step that was released is never changed."""

from __future__ import annotations

from kbtui.rows import ALL, ROOT

MIGRATIONS = (
    (
        """CREATE TABLE document (
            pk INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: a listing holds them
            id TEXT NOT NULL UNIQUE,
            seen INTEGER NOT NULL,  -- the latest ticket under which the service told of it
            leaf INTEGER NOT NULL,  -- 0 for folders, which come first
            type TEXT NOT NULL,
            name TEXT NOT NULL,
            name_key TEXT NOT NULL,
            size INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            parent TEXT,
            children INTEGER,
            documents INTEGER,
            role TEXT NOT NULL,
            url TEXT,
            lock TEXT,
            rest TEXT NOT NULL
        )""",
        "CREATE INDEX document_place ON document (parent, leaf, name_key, id, type)",
        """CREATE TABLE tally (  -- rows of each scope, kept by triggers: counting a million is slow
            scope TEXT PRIMARY KEY,
            count INTEGER NOT NULL
        ) WITHOUT ROWID""",
        f"""CREATE TRIGGER document_comes AFTER INSERT ON document BEGIN
            INSERT INTO tally VALUES ('{ALL}', new.leaf), (ifnull(new.parent, '{ROOT}'), 1)
            ON CONFLICT DO UPDATE SET count = count + excluded.count;
        END""",
        f"""CREATE TRIGGER document_goes AFTER DELETE ON document BEGIN
            INSERT INTO tally VALUES ('{ALL}', -old.leaf), (ifnull(old.parent, '{ROOT}'), -1)
            ON CONFLICT DO UPDATE SET count = count + excluded.count;
        END""",
        f"""CREATE TRIGGER document_moves AFTER UPDATE OF parent, leaf ON document
        WHEN (old.parent, old.leaf) IS NOT (new.parent, new.leaf) BEGIN
            INSERT INTO tally VALUES
                ('{ALL}', new.leaf - old.leaf),
                (ifnull(old.parent, '{ROOT}'), -1),
                (ifnull(new.parent, '{ROOT}'), 1)
            ON CONFLICT DO UPDATE SET count = count + excluded.count;
        END""",
        "CREATE TABLE gone (id TEXT PRIMARY KEY, ticket INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
        """CREATE TABLE body (
            document TEXT PRIMARY KEY,
            used INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            format TEXT NOT NULL,
            updated INTEGER NOT NULL,
            lossy INTEGER NOT NULL,
            text TEXT NOT NULL
        )""",
        "CREATE INDEX body_used ON body (used, bytes)",
        "CREATE TABLE clock (ticket INTEGER NOT NULL, changes INTEGER NOT NULL)",
        "INSERT INTO clock VALUES (0, 0)",
        "CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE sweep (ticket INTEGER PRIMARY KEY, began REAL NOT NULL)",
        """CREATE TABLE place (
            name TEXT PRIMARY KEY,
            cursor TEXT,
            first INTEGER,
            edge INTEGER,
            done INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
)

# Built when the first sweep is complete: while rows pour in, it would cost as much as all the rest.
BY_NAME = "CREATE INDEX IF NOT EXISTS document_name ON document (leaf, name_key, id, type)"
