"""What a process has open, as the kernel tells it: for showing that the node has nothing of the database."""
import os
import pathlib
import socket
import struct

from world import Broken, Unusable

# netlink(7), sock_diag(7).
_SOCK_DIAG, _BY_FAMILY, _DONE, _ERROR, _REQUEST_DUMP = 4, 20, 3, 2, 0x301
_SHOW_NAME, _SHOW_PEER = 1, 4
_NAME, _PEER = 0, 2


def unix_sockets():
    """Of the whole machine: inode -> (path, empty when it has none; inode of the other end, 0 when nobody took it yet, None when it has none)."""
    question = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME | _SHOW_PEER, 0xFFFFFFFF, 0xFFFFFFFF)
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(10)
        kernel.send(struct.pack("=IHHII", 16 + len(question), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + question)
        while True:
            answer = kernel.recv(1 << 20)
            while answer:
                length, kind = struct.unpack_from("=IH", answer)
                if kind == _DONE:
                    return found
                if kind == _ERROR:
                    raise Unusable(f"this kernel does not tell of Unix sockets: {struct.unpack_from('=i', answer, 16)[0]}")
                inode = struct.unpack_from("=I", answer, 20)[0]
                path, peer, place = "", None, 32
                while place + 4 <= length:
                    size, attribute = struct.unpack_from("=HH", answer, place)
                    value = answer[place + 4:place + size]
                    if attribute == _NAME:
                        path = value.rstrip(b"\0").decode("utf-8", "replace")
                    elif attribute == _PEER:
                        peer = struct.unpack("=I", value)[0]
                    place += (size + 3) & ~3
                found[inode] = (path, peer)
                answer = answer[(length + 3) & ~3:]


def tcp_sockets(pid):
    """Of the process's network: inode -> (own port, the other end's port)."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            own, other = (int(fields[place].rpartition(":")[2], 16) for place in (1, 2))
            found[int(fields[9])] = (own, other)
    return found


def opened(pid):
    """Links of its descriptors, such as `socket:[4711]` or a path; then the paths of what it has mapped."""
    links = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{entry}"))
        except FileNotFoundError:
            continue                    # closed while we looked
    maps = {line.split(maxsplit=5)[5] for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines() if len(line.split()) > 5}
    return links, maps


def of_database(pid, ports=(), folders=(), words=()):
    """What a process has of a database: sockets to these TCP ports, sockets whose other end lies in these folders, and files there or with
    these words in their path."""
    links, maps = opened(pid)
    inodes = {int(link[8:-1]) for link in links if link.startswith("socket:[")}
    unix, tcp = unix_sockets(), tcp_sockets(pid)
    found = []
    for inode in inodes & tcp.keys():
        if tcp[inode][1] in ports:
            found.append(f"a connection to port {tcp[inode][1]}")
    for inode in inodes & unix.keys():
        path, peer = unix[inode]
        other = unix.get(peer, ("", None))[0]
        if peer == 0:
            # As to a server that stands still.
            found.append("a socket whose other end nobody took")
        found += [f"a socket at {one}" for one in (path, other) for folder in folders if one.startswith(str(folder))]
    for path in [link for link in links if link.startswith("/")] + sorted(maps):
        if any(path.startswith(str(folder)) for folder in folders) or any(word in path for word in words):
            found.append(f"the file {path}")
    return found


def require_none(pid, when, **of):
    found = of_database(pid, **of)
    if found:
        raise Broken(f"the node has something of the database open {when}: {'; '.join(sorted(set(found))[:5])}")
