-- The registry, version 3: acts, dated versions. A version says the whole of a paper as it is known from recorded_at on; the
-- paper holds from valid_from until valid_until, or until withdrawn_from if that is earlier. Rows are added, never changed.
create table act (
  site bytea not null references site (site),
  act bytea not null,
  version bigint not null,
  recorded_at bigint not null,
  withdrawn_from bigint,
  kind text not null,
  number text not null,
  signed bigint not null,
  signatory text not null,
  valid_from bigint not null,
  valid_until bigint,
  scope text not null,
  terms text not null,
  scan bytea,
  primary key (site, act, version)
);
