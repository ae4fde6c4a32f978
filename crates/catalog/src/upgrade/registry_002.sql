-- The registry, version 2: a second address of the same camera, in a codec that every browser plays (live and replay fall back to it).
alter table camera add column sub_url text;
