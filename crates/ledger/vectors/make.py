# Computes the ledger's test vectors from docs/formats/ledger.md alone, with hashlib, cryptography and blake3: no code of ours.
import base64, hashlib, json, pathlib, struct
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent
LOG = bytes(range(16))
SITE = bytes(range(16, 32))
MONTH_KEY = bytes(range(32, 64))


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def commit(salt, details):
    return hashlib.sha256(b"vigie ledger commitment v1\n" + salt + details).digest()


def seal(key, log, seq, salt, details):
    place = log + struct.pack("<Q", seq) + commit(salt, details)
    details_key = HKDF(SHA256(), 32, None, b"vigie ledger details v1" + place).derive(key)
    plain = salt + struct.pack("<I", len(details)) + details
    plain += bytes(-len(plain) % 256)
    return AESGCM(details_key).encrypt(bytes(12), plain, place)


def leaf_hash(commitment):
    return hashlib.sha256(b"\x00" + commitment).digest()


def root(commitments):
    if not commitments:
        return hashlib.sha256(b"").digest()
    if len(commitments) == 1:
        return leaf_hash(commitments[0])
    k = 1
    while k * 2 < len(commitments):
        k *= 2
    return hashlib.sha256(b"\x01" + root(commitments[:k]) + root(commitments[k:])).digest()


def path(n, commitments):
    if len(commitments) == 1:
        return []
    k = 1
    while k * 2 < len(commitments):
        k *= 2
    if n < k:
        return path(n, commitments[:k]) + [root(commitments[k:])]
    return path(n - k, commitments[k:]) + [root(commitments[:k])]


def checkpoint(seed, origin, size, root_hash):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_hash = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    text = f"{origin}\n{size}\n{base64.b64encode(root_hash).decode()}\n"
    signature = base64.b64encode(key_hash + key.sign(text.encode())).decode()
    verifier_key = origin + "+" + key_hash.hex() + "+" + base64.b64encode(b"\x01" + public).decode()
    return public, verifier_key, f"{text}\n— {origin} {signature}\n"


def verifier_key(name, algorithm, public):
    key_hash = hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]
    return key_hash, name + "+" + key_hash.hex() + "+" + base64.b64encode(bytes([algorithm]) + public).decode()


def cosignature(seed, name, at_seconds, note):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_hash, text_key = verifier_key(name, 4, public)
    text = note[: note.rindex("\n\n") + 1]
    signed = key.sign(f"cosignature/v1\ntime {at_seconds}\n{text}".encode())
    line = base64.b64encode(key_hash + struct.pack(">Q", at_seconds) + signed).decode()
    return text_key, f"— {name} {line}\n"


def growth(m, commitments, whole=True):
    """RFC 6962 section 2.1.2, SUBPROOF."""
    n = len(commitments)
    if m == n:
        return [] if whole else [root(commitments)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return growth(m, commitments[:k], whole) + [root(commitments[k:])]
    return growth(m - k, commitments[k:], False) + [root(commitments[:k])]


def add_checkpoint(old, proof, note):
    lines = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
    return f"old {old}\n{lines}\n{note}"


def group(log, number, first_seq, closes_batch, previous, records):
    payload = b"".join(c + struct.pack("<II", month, len(sealed)) + sealed for c, month, sealed in records)
    header = b"VIGIEJNL" + struct.pack("<HHI", 1, int(closes_batch), len(records)) + log
    header += struct.pack("<QQQ", number, first_seq, len(payload)) + previous
    header += bytes(96 - len(header))
    digest = blake3(header + payload).digest()
    frame = header + payload + digest
    return frame + bytes(-len(frame) % 4096), digest


DETAILS = [
    '{"format":1,"at":1773324000000000,"actor":{"by":"schedule"},"event":"dummy"}',
    '{"format":1,"at":1773324000000001,"actor":{"by":"role","role":"keeper"},"event":"mint","hour":"2026-03-12T14:00Z",'
    '"cameras":[{"camera":"' + "ab" * 16 + '","deadline":1775916000000000}]}',
    '{"format":1,"at":1773324000000002,"actor":{"by":"cli","uid":1000},"event":"config","what":"' + "é" * 200 + '"}',
]
SALTS = [bytes([n] * 16) for n in (0, 1, 255)]

write("commitment.json", [
    {"salt": s.hex(), "details": d, "commitment": commit(s, d.encode()).hex()} for s, d in zip(SALTS, DETAILS)
])
write("details.json", [
    {"month_key": MONTH_KEY.hex(), "log": LOG.hex(), "seq": seq, "salt": s.hex(), "details": d,
     "sealed": seal(MONTH_KEY, LOG, seq, s, d.encode()).hex()}
    for seq, s, d in zip((0, 7, 2**40), SALTS, DETAILS)
])
SIZES = (0, 1, 2, 3, 16, 255, 256, 257, 600)
COMMITMENTS = [struct.pack("<Q", n) + bytes(24) for n in range(max(SIZES))]
write("tree.json", {
    "commitments": "commitment n is n as u64, little endian, and 24 zeros",
    "leaf_hashes": [leaf_hash(c).hex() for c in COMMITMENTS[:3]],
    "roots": [{"size": n, "root": root(COMMITMENTS[:n]).hex()} for n in SIZES],
    "inclusion": [{"size": n, "seq": seq, "proof": [h.hex() for h in path(seq, COMMITMENTS[:n])]}
                  for n, seq in ((1, 0), (3, 2), (257, 256), (600, 300))],
})
ORIGIN = f"vigie/{SITE.hex()}/{LOG.hex()}"
SEED = bytes(range(64, 96))
PUBLIC, VERIFIER_KEY, NOTE = checkpoint(SEED, ORIGIN, 600, root(COMMITMENTS))
write("checkpoint.json", {
    "site": SITE.hex(), "log": LOG.hex(), "seed": SEED.hex(), "public_key": PUBLIC.hex(), "origin": ORIGIN,
    "verifier_key": VERIFIER_KEY, "size": 600, "root": root(COMMITMENTS).hex(), "note": NOTE,
})
WITNESS_SEED, WITNESS, AT_SECONDS = bytes(range(96, 128)), "temoin.example/mairie", 1773324060
WITNESS_KEY, LINE = cosignature(WITNESS_SEED, WITNESS, AT_SECONDS, NOTE)
write("witness.json", {
    "name": WITNESS, "seed": WITNESS_SEED.hex(), "verifier_key": WITNESS_KEY, "at_seconds": AT_SECONDS,
    "note": NOTE, "cosignature": LINE,
    "requests": [{"old": old, "body": add_checkpoint(old, growth(old, COMMITMENTS) if old else [], NOTE)}
                 for old in (0, 1, 255, 256, 300, 512, 599, 600)],
})
RECORDS = [(commit(s, d.encode()), 202603, seal(MONTH_KEY, LOG, 40 + n, s, d.encode()))
           for n, (s, d) in enumerate(zip(SALTS, DETAILS))]
FRAME, DIGEST = group(LOG, 5, 40, True, bytes([9] * 32), RECORDS)
write("group.json", {
    "log": LOG.hex(), "number": 5, "first_seq": 40, "closes_batch": True, "previous": bytes([9] * 32).hex(),
    "records": [{"commitment": c.hex(), "month": m, "sealed": b.hex()} for c, m, b in RECORDS],
    "digest": DIGEST.hex(), "frame": FRAME.hex(),
})
