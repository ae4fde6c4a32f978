-- Footage, version 3: the last picture of each stream, of which the rows died: since then the stream misses pictures (R12).
create table stream_last (
  site bytea not null references site (site),
  camera bytea not null,
  kind bigint not null,
  last_utc bigint not null,
  primary key (site, camera, kind)
);
