#!/usr/bin/env python3
"""Opens the keyring's test vectors by its format page alone: cryptography (AES-GCM, argon2id) and, if present, blake3."""
import hashlib, hmac, json, pathlib, struct
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

try:
    from blake3 import blake3
except ImportError:
    blake3 = None

HERE = pathlib.Path(__file__).parent


def take(data, at, layout):
    values = struct.unpack_from("<" + layout, data, at)
    return values, at + struct.calcsize("<" + layout)


def check_digest(data, digest):
    if blake3 is not None:
        assert blake3(data).digest() == digest, "digest"


def read_page(vector):
    data = bytes.fromhex(vector["file"])
    check_digest(data, bytes.fromhex(vector["file_blake3"]))
    (magic, version, _, site, start, length, generation, sealed, _), at = take(data, 0, "8sHH16sqIQQ8s")
    assert (magic, version, at, sealed) == (b"VIGIEKPG", 1, 64, len(data) - 64)
    assert (site.hex(), start, length) == (vector["site"], vector["hour_start_s"], vector["hour_length_s"])
    assert f"{start}-{length}.{generation}" == vector["file_name"] and len(data) % 4096 == 0
    plain = AESGCM(bytes.fromhex(vector["page_key"])).decrypt(bytes(12), data[64:], data[:64])
    (lookup, count), at = take(plain, 0, "32sI")
    assert lookup.hex() == vector["lookup_key"] and count == len(vector["cameras"])
    for expected in vector["cameras"]:
        (camera, key, deadline), at = take(plain, at, "16s32sq")
        assert (camera.hex(), key.hex(), deadline) == (expected["camera"], expected["key"], expected["deadline_utc_us"])
    assert not any(plain[at:])


def read_root(vector):
    data = bytes.fromhex(vector["file"])
    (magic, version, _, site, memory, passes, lanes, salt, generation, length, nonce, _), at = take(
        data, 0, "8sHH16sIII16sQQ12s12s")
    token = vector.get("token")
    assert (magic, version, at, site.hex()) == (b"VIGIEKRT", 2 if token else 1, 96, vector["site"])
    if token:
        (object_id, _), at = take(data, at, "24s8s")
        assert object_id.hex() == token["object_id"]
    assert generation == vector["generation"] and len(data) % 4096 == 0
    check_digest(data[:at + length], data[at + length:at + length + 32])
    key = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(
        vector["passphrase"].encode())
    if token:
        question = b"vigie keyring root 2" + site + object_id
        answer = hmac.new(bytes.fromhex(token["object_key"]), question, hashlib.sha256).digest()
        assert answer.hex() == token["answer"]
        key = HKDF(SHA256(), 32, salt=key, info=b"vigie keyring root key 2").derive(answer)
    assert key.hex() == vector["root_key"]
    plain = AESGCM(key).decrypt(nonce, data[at:at + length], data[:at])
    (fmt, site_key, config_key, size, head, away, pages), at = take(plain, 0, "H32s32sQ32sBI")
    assert (fmt, site_key.hex(), config_key.hex()) == (2 if "holds" in vector else 1, vector["site_key"], vector["config_key"])
    assert {"size": size, "root": head.hex()} == vector["ledger_head"]
    assert [copy for copy in range(2) if away >> copy & 1] == vector["written_off"] and pages == len(vector["pages"])
    for expected in vector["pages"]:
        (start, length, written, page_key, digest, earliest), at = take(plain, at, "qIQ32s32sq")
        assert [start, length, written, page_key.hex(), digest.hex(), earliest] == [expected[name] for name in (
            "hour_start_s", "hour_length_s", "page_generation", "page_key", "digest", "earliest_deadline_utc_us")]
    (count,), at = take(plain, at, "I")
    assert count == len(vector["condemned"])
    for expected in vector["condemned"]:
        (start, length, by, everything, count), at = take(plain, at, "qIQBI")
        cameras = [plain[at + 16 * n:at + 16 * n + 16].hex() for n in range(count)]
        at += 16 * count
        assert [start, length, by] == [expected[name] for name in ("hour_start_s", "hour_length_s", "destroyed_by")]
        assert ("all" if everything else cameras) == expected["cameras"]
    (count,), at = take(plain, at, "I")
    for expected in vector["log_keys"]:
        (month, key), at = take(plain, at, "I32s")
        assert {"month": month, "key": key.hex()} == expected
    (count,), at = take(plain, at, "I")
    assert list(struct.unpack_from(f"<{count}I", plain, at)) == vector["dead_months"]
    at += 4 * count
    if "holds" in vector:
        (count,), at = take(plain, at, "I")
        assert count == len(vector["holds"])
        for expected in vector["holds"]:
            (hold, start, length, held, dies), at = take(plain, at, "16sqI32sq")
            assert [hold.hex(), start, length, held.hex(), dies] == [expected[name] for name in (
                "hold", "hour_start_s", "hour_length_s", "key", "dies_utc_us")]
    assert not any(plain[at:])


read_page(json.loads((HERE / "page.json").read_text()))
read_root(json.loads((HERE / "root.json").read_text()))
read_root(json.loads((HERE / "root-token.json").read_text()))
read_root(json.loads((HERE / "root-holds.json").read_text()))
print("all vectors open" + ("" if blake3 else " (digests not checked: no blake3)"))
