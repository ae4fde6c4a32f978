"""Cameras that are not ours: GStreamer's RTSP server plays MPEG-TS files, and tells every picture that it hands out.

    /usr/bin/python3 cameras.py h264=a.ts h265=b.ts ...

File n is rtsp://127.0.0.1:PORT/n, anew from its start for each client. Standard output: `port PORT`, then a line of JSON for
each picture as it goes into the RTP payloader: camera, session (one for each client), microseconds since 1970, presentation
time in nanoseconds, and SHA-256 and type of each NAL unit. Ends with its standard input.
"""
import hashlib
import json
import os
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CHAIN = {
    codec: f"{codec}parse ! video/x-{codec},stream-format=byte-stream,alignment=au"
    f" ! rtp{codec}pay name=pay0 pt=96 config-interval=-1"
    for codec in ("h264", "h265")
}


def units(stream):
    """NAL units between start codes (annex B of both codecs)."""
    for part in stream.split(b"\x00\x00\x01"):
        part = part.rstrip(b"\x00")
        if part:
            yield part


def unit_type(codec, unit):
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


class Camera:
    def __init__(self, number, codec):
        self.number, self.codec, self.sessions = number, codec, 0

    def configure(self, _factory, media):
        session = self.sessions
        self.sessions += 1
        pad = media.get_element().get_by_name("pay0").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, self.tell, session)

    def tell(self, _pad, info, session):
        buffer = info.get_buffer()
        there, mapped = buffer.map(Gst.MapFlags.READ)
        assert there
        nals = [(hashlib.sha256(unit).hexdigest(), unit_type(self.codec, unit)) for unit in units(bytes(mapped.data))]
        buffer.unmap(mapped)
        line = {"camera": self.number, "session": session, "at": int(time.time() * 1e6), "pts": buffer.pts, "nals": nals}
        # one write: each session has a thread of its own
        os.write(sys.stdout.fileno(), json.dumps(line).encode() + b"\n")
        return Gst.PadProbeReturn.OK


def main():
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    mounts = server.get_mount_points()
    for number, argument in enumerate(sys.argv[1:]):
        codec, path = argument.split("=", 1)
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( filesrc location={path} ! tsdemux ! {CHAIN[codec]} )")
        factory.connect("media-configure", Camera(number, codec).configure)
        mounts.add_factory(f"/{number}", factory)
    server.attach(None)
    print("port", server.get_bound_port(), flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


main()
