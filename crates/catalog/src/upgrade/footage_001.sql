-- Footage, version 1: what exists and where. Disposable, rebuilt from the reels. Times: UTC, microseconds.
create table upgrade (kind text not null, version bigint not null, primary key (kind, version));

create table site (site bytea primary key);

create table reel (
  site bytea not null references site (site),
  reel bytea not null,
  run bytea not null,
  hour_start_s bigint not null,
  hour_length_s bigint not null,
  deadline bigint not null,
  state text not null,
  location bytea not null,
  bytes bigint not null,
  root bytea,
  opened_at bigint not null,
  closed_at bigint,
  primary key (site, reel)
);
create index reel_hour on reel (site, hour_start_s, hour_length_s);

create table reel_stream (
  site bytea not null,
  reel bytea not null,
  handle bigint not null,
  camera bytea not null,
  kind bigint not null,
  first_utc bigint not null,
  last_utc bigint not null,
  frames bigint not null,
  chunks bigint not null,
  bytes bigint not null,
  primary key (site, reel, handle),
  foreign key (site, reel) references reel (site, reel) on delete cascade
);
create index reel_stream_when on reel_stream (site, camera, kind, first_utc, last_utc);

create table gap (
  site bytea not null references site (site),
  camera bytea not null,
  kind bigint not null,
  from_utc bigint not null,
  to_utc bigint,
  cause text not null,
  primary key (site, camera, kind, from_utc)
);
