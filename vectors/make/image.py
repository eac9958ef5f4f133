#!/usr/bin/env python3
"""Writes vectors/image.json: enclave images of made-up parts, byte for byte, and what a hypervisor measures of each.

usage: image.py > vectors/image.json      (Python standard library only)

Independent of the Rust writer: from the format's definition (aws-nitro-enclaves-image-format, `defs`) and cpio's "newc".
"""
import hashlib
import json
import struct
import sys
import zlib


def cpio(files):
    out = b""
    for number, (path, mode, contents) in enumerate(files + [("TRAILER!!!", 0, b"")], 1):
        number = 0 if path == "TRAILER!!!" else number
        fields = [number, mode, 0, 0, 2 if mode & 0o040000 else 1, 0, len(contents), 0, 0, 0, 0, len(path) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + path.encode() + b"\0"
        out += bytes(-len(out) % 4)
        out += contents + bytes(-len(contents) % 4)
    return out


def eif(kernel, command_line, metadata, ramdisks):
    sections = [(1, kernel), (2, command_line), (5, metadata)] + [(3, disk) for disk in ramdisks]
    at, offsets, body = 548, [], b""
    for kind, contents in sections:
        offsets.append(at)
        body += struct.pack(">HHQ", kind, 0, len(contents)) + contents
        at += 12 + len(contents)
    pad = lambda numbers: struct.pack(">32Q", *(numbers + [0] * (32 - len(numbers))))
    header = struct.pack(">4sHHQQHH", b".eif", 4, 0, 0, 0, 0, len(sections)) + pad(offsets)
    header += pad([len(contents) for _, contents in sections]) + bytes(4)
    return header + struct.pack(">I", zlib.crc32(header + body)) + body


def pcr(*parts):
    return hashlib.sha384(bytes(48) + hashlib.sha384(b"".join(parts)).digest()).hexdigest()


def case(name, kernel, command_line, metadata, files):
    disks = [cpio(disk) for disk in files]
    image = eif(kernel, command_line.encode(), metadata.encode(), disks)
    return {
        "name": name, "kernel": kernel.hex(), "command_line": command_line, "metadata": metadata,
        "ramdisks": [[{"path": path, "mode": oct(mode)[2:], "contents": contents.hex()} for path, mode, contents in disk]
                     for disk in files],
        "sha256": hashlib.sha256(image).hexdigest(), "length": len(image),
        "PCR0": pcr(kernel, command_line.encode(), *disks), "PCR1": pcr(kernel, command_line.encode(), *disks[:1]),
        "PCR2": pcr(*disks[1:]),
    }


DIR, PROGRAM, DATA = 0o040755, 0o100755, 0o100644
BOOT = [("dev", DIR, b""), ("init", PROGRAM, b"\x7fELF" + bytes(range(200))), ("proc", DIR, b""), ("sys", DIR, b"")]
GIVEN = [("measured", DIR, b""), ("measured/environment", DATA, b"live\n")]
cases = [
    case("a program and what it is given", b"kernel" * 100, "reboot=k panic=1", "{}", [BOOT, GIVEN]),
    case("given something else", b"kernel" * 100, "reboot=k panic=1", "{}",
         [BOOT, [("measured", DIR, b""), ("measured/environment", DATA, b"sandbox\n")]]),
    case("another command line", b"kernel" * 100, "reboot=k panic=1 quiet", "{}", [BOOT, GIVEN]),
    case("other metadata, which nobody measures", b"kernel" * 100, "reboot=k panic=1", '{"a":1}', [BOOT, GIVEN]),
    case("one ramdisk", b"k", "", "", [BOOT]),
    case("nothing in it", b"", "", "", [[], [], []]),
]
json.dump({"source": "vectors/make/image.py", "cases": cases}, sys.stdout, indent=1)
print()
