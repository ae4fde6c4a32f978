#!/usr/bin/env python3
# Reads one reel with nothing but docs/formats/reel.md, `cryptography` and `blake3`: verifies it, opens it, prints JSON.
"""usage: read_reel.py REEL KEYS.json

KEYS.json: {"site_public": hex, "lookup_key": hex, "streams": [{"camera": hex, "kind": 0, "camera_hour_key": hex}]}
"""
import hashlib
import hmac
import json
import struct
import sys

from blake3 import blake3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER, KEY, CHUNK, EXTENT, GAP, SYNC, PAD, INDEX, FOOTER, RECOVERY, DIGESTS = range(1, 12)
NO_STREAM = 0xFFFF
BLOCK = 4096


class Wrong(Exception):
    """The bytes are not what docs/formats/reel.md says."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


def verify(public, purpose, message, signature):
    Ed25519PublicKey.from_public_bytes(public).verify(signature, purpose.encode() + b"\n" + message)


def tree(leaves):
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


class Record:
    def __init__(self, reel, offset):
        self.header = reel[offset:offset + 64]
        need(len(self.header) == 64 and self.header[:5] == b"VGRL\x01", f"no record at {offset}")
        self.kind, self.handle, length, self.number = struct.unpack_from("<BHII", self.header, 5)
        self.reel, self.commitment = self.header[16:32], self.header[32:64]
        self.offset, self.bytes = offset, 64 + length
        self.payload = reel[offset + 64:offset + 64 + length]
        need(length <= 9 * 1024 * 1024 and len(self.payload) == length, f"record at {offset} is cut")
        self.digest = blake3(self.header + self.payload).digest()

    def plain_header(self, payload_bytes):
        need(self.handle == NO_STREAM and self.commitment == bytes(32), "signed record, other header")
        need(len(self.payload) == payload_bytes, "signed record, other length")


class Reel:
    """The walk of section 10: everything that is verified."""

    def __init__(self, data, site_public):
        self.data, self.site_public = data, site_public
        self.records, self.chain, self.streams = [], blake3(), {}
        self.end, self.root, self.sound, self.count = None, None, 0, 0
        offset = 0
        while self.end is None and offset < len(data):
            record = Record(data, offset)
            if not self.records:
                self.first(record)
            need(record.reel == self.id, f"record at {offset} is of another reel")
            self.take(record)
            self.records.append(record)
            self.chain.update(record.digest)
            self.count += 1
            offset += record.bytes
            if record.kind == SYNC:
                offset = self.sound = -(-offset // BLOCK) * BLOCK
        need(self.end is not None, "the reel has no end")

    def first(self, record):
        need(record.kind == HEADER and record.number == 0, "a reel begins with its header")
        record.plain_header(244)
        self.id, p = record.reel, record.payload
        self.site, self.run = p[:16], p[16:32]
        self.hour, self.deadline = p[32:44], p[44:52]
        self.reel_public, run_public = p[52:84], p[84:116]
        verify(self.site_public, "vigie run certificate v1", self.site + self.run + run_public, p[116:180])
        verify(run_public, "vigie reel header v1", self.id + p[:180], p[180:])
        self.header_digest = record.digest

    def take(self, record):
        p = record.payload
        if record.kind in (KEY, CHUNK, EXTENT, GAP):
            if record.kind == KEY:
                need(record.handle not in self.streams, "second key record")
                self.streams[record.handle] = {KEY: [], CHUNK: [], EXTENT: [], GAP: []}
            need(record.handle in self.streams, "record before its key record")
            listed = self.streams[record.handle][record.kind]
            need(record.number == len(listed), f"record at {record.offset}: number {record.number}")
            listed.append(record)
        elif record.kind == DIGESTS:
            need(p == self.digests(), "the digests record says what the records say")
        elif record.kind == SYNC:
            record.plain_header(108)
            message = self.id + struct.pack("<I", record.number) + p[:44]
            verify(self.reel_public, "vigie sync record v1", message, p[44:])
            self.check_point(record)
        elif record.kind == FOOTER:
            record.plain_header(148)
            verify(self.reel_public, "vigie footer v1", self.id + p[:84], p[84:])
            self.check_point(record)
            self.check_index(struct.unpack_from("<Q", p, 44)[0])
            self.close("footer", p[52:84])
        elif record.kind == RECOVERY:
            record.plain_header(268)
            need(record.offset == self.sound, "a recovery footer stands behind a sync record")
            site_and_run, public = p[76:108], p[108:140]
            verify(self.site_public, "vigie run certificate v1", site_and_run + public, p[140:204])
            verify(public, "vigie recovery footer v1", self.id + p[:204], p[204:])
            self.check_point(record)
            self.close("recovery footer", p[44:76])

    def digests(self):
        parts = [self.header_digest]
        for handle, listed in sorted(self.streams.items()):
            kinds = [listed[kind] for kind in (CHUNK, EXTENT, GAP)]
            parts += [struct.pack("<H", handle), listed[KEY][0].digest, struct.pack("<3I", *map(len, kinds))]
            parts += [record.digest for kind in kinds for record in kind]
        return b"".join(parts)

    def check_point(self, record):
        offset, count = struct.unpack_from("<QI", record.payload)
        need((offset, count) == (record.offset, self.count), f"sync point at {record.offset}")
        need(record.payload[12:44] == self.chain.digest(), f"running digest at {record.offset}")

    def check_index(self, offset):
        index = self.records[-1]
        need(index.kind == INDEX and index.offset == offset, "the index stands before the footer")
        kinds = (KEY, CHUNK, EXTENT, GAP, DIGESTS)
        entries = [struct.pack("<BBHIIQ", r.kind, 0, r.handle, r.number, r.bytes, r.offset)
                   for r in self.records if r.kind in kinds]
        need(index.payload == b"".join(entries), "the index says what the records say")

    def close(self, end, root):
        leaves = [self.header_digest]
        for handle, lists in sorted(self.streams.items()):
            trees = [tree([r.digest for r in lists[kind]]) for kind in (CHUNK, EXTENT, GAP)]
            leaves.append(struct.pack("<H", handle) + lists[KEY][0].digest + b"".join(trees))
        need(tree(leaves) == root, "root")
        self.end, self.root = end, root


def data_key(reel, record, keys):
    """Section 3: which camera the lookup tag names, and its data key."""
    for entry in keys["streams"]:
        stream = bytes.fromhex(entry["camera"]) + bytes([entry["kind"]])
        tag = hmac.digest(bytes.fromhex(keys["lookup_key"]), b"vigie lookup tag v1\n" + reel.id + stream, "sha256")
        if tag == record.payload[:32]:
            context = b"vigie key record v1\n" + reel.site + stream + reel.hour + reel.run + reel.deadline
            wrapping = AESGCM(bytes.fromhex(entry["camera_hour_key"]))
            return stream, wrapping.decrypt(record.payload[32:44], record.payload[44:92], context)
    raise Wrong(f"no camera for handle {record.handle}")


def open_record(key, record):
    """Section 4."""
    info = record.reel + struct.pack("<BHI", record.kind, record.handle, record.number)
    okm = HKDF(hashes.SHA256(), 64, b"vigie record key v1", info).derive(key)
    need(okm[32:] == record.commitment, f"commitment at {record.offset}")
    return AESGCM(okm[:32]).decrypt(bytes(12), record.payload, record.header)


def read_chunk(plain):
    """Section 5."""
    form, flags, count, first_utc, last_utc, first_dts = struct.unpack_from("<BBHqqq", plain)
    need(form == 1 and count > 0, "format of a chunk")
    frames = []
    for line in range(count):
        kind, dts, offset, size = struct.unpack_from("<B3xIiI", plain, 28 + 16 * line)
        frames.append({"kind": kind, "dts": first_dts + dts, "pts": first_dts + dts + offset, "size": size})
    data, parameters = plain[28 + 16 * count:], None
    if flags & 1:
        codec, width, height, length = struct.unpack_from("<BxHHH", data)
        parameters = {"codec": codec, "width": width, "height": height, "config": data[8:8 + length].hex()}
        data = data[8 + length:]
    need(sum(frame["size"] for frame in frames) == len(data), "sizes of a chunk")
    return {"first_utc": first_utc, "last_utc": last_utc, "frames": frames, "parameters": parameters,
            "sha256": hashlib.sha256(data).hexdigest()}


def read_extent(plain, stream):
    """Section 6."""
    need(len(plain) == 96 and plain[:17] == stream, "extent")
    first, last, first_utc, last_utc, frames = struct.unpack_from("<IIqqI", plain, 20)
    return {"first_chunk": first, "last_chunk": last, "first_utc": first_utc, "last_utc": last_utc, "frames": frames,
            "group_reel": plain[48:64].hex(), "group_chunk": struct.unpack_from("<I", plain, 64)[0]}


def read_gap(plain, stream):
    """Section 6a."""
    need(len(plain) == 128 and plain[:17] == stream, "gap")
    state, cause, detail, since, until, ended = struct.unpack_from("<BBBqqB", plain, 17)
    need(state in (1, 2, 3) and ended == (state == 3), "state of a gap")
    return {"state": state, "from": since, "to": until if ended else None,
            "cause": plain[40:40 + cause].decode(), "detail": plain[72:72 + detail].decode()}


def main(reel_path, keys_path):
    with open(keys_path, encoding="utf-8") as file:
        keys = json.load(file)
    with open(reel_path, "rb") as file:
        reel = Reel(file.read(), bytes.fromhex(keys["site_public"]))
    chunks, extents, gaps = [], [], []
    for handle, lists in sorted(reel.streams.items()):
        stream, key = data_key(reel, lists[KEY][0], keys)
        named = {"camera": stream[:16].hex(), "kind": stream[16]}
        for record in lists[CHUNK]:
            chunks.append({"stream": named, "number": record.number, **read_chunk(open_record(key, record))})
        for record in lists[EXTENT]:
            extents.append({"stream": named, **read_extent(open_record(key, record), stream)})
        for record in lists[GAP]:
            gaps.append({"stream": named, **read_gap(open_record(key, record), stream)})
    start, length = struct.unpack("<qI", reel.hour)
    answer = {"reel": reel.id.hex(), "run": reel.run.hex(), "hour": {"start_s": start, "length_s": length},
              "end": reel.end, "root": reel.root.hex(), "records": reel.count, "chunks": chunks, "extents": extents,
              "gaps": gaps}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
