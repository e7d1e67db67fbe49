"""The tables of the documents and of the agents that use them, and their indexes."""

from __future__ import annotations

from kbtui.demo import generated

SCHEMA = """
create table meta (key text primary key, value text not null) without rowid;
create table users (id text primary key, name text not null, email text not null) without rowid;
create table documents (
    n integer primary key,
    id text not null,
    type text not null,
    name text not null,
    name_key text not null,
    parent text,
    size integer not null,
    created integer not null,
    updated integer not null,
    creator text not null,
    role text not null,
    seed integer,
    format text,
    url text,
    filename text,
    frozen integer not null default 0,
    auto_sync text,
    external_sync text,
    refresh_status text,
    sync_job text
);
create table bodies (n integer primary key references documents (n) on delete cascade, text text not null);
create table files (n integer primary key references documents (n) on delete cascade, data blob not null);
create table agents (
    id text primary key,
    name text not null,
    voice text not null,
    created integer not null,
    updated integer not null,
    creator text not null,
    role text,
    archived integer not null default 0,
    tags text not null default '[]',
    last_call integer,
    rag text not null default '{}'
) without rowid;
create table branches (
    id text primary key,
    agent text not null references agents (id) on delete cascade,
    name text not null,
    main integer not null
) without rowid;
create table attachments (
    document text not null,
    branch text not null references branches (id) on delete cascade,
    usage_mode text not null default 'auto',
    primary key (document, branch)
) without rowid;
"""

INDEXES = {
    "documents_by_id": "create unique index documents_by_id on documents (id)",
    "documents_by_parent": "create index documents_by_parent on documents (parent, type)",
    "documents_by_creator": "create index documents_by_creator on documents (creator)",
    "documents_by_name": "create index documents_by_name on documents (type, name_key)",
    "documents_by_created": "create index documents_by_created on documents (type, created)",
    "documents_by_updated": "create index documents_by_updated on documents (type, updated)",
    "documents_by_size": "create index documents_by_size on documents (type, size)",
    "documents_by_url": "create index documents_by_url on documents (url) where url is not null",
    "documents_by_seed": (
        f"create index documents_by_seed on documents (seed % {generated.PERIOD}, seed)"
        " where seed is not null"
    ),
}
