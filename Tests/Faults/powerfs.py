#!/usr/bin/env python3
"""A disk in user space whose power can be cut.

    powerfs.py BACKING MOUNTPOINT --seed N [--names strict|ordered]

Programs work on MOUNTPOINT; BACKING holds what would be on the platter. A write reaches it only by fsync or fdatasync of its file
(or by O_SYNC and O_DSYNC), a name (create, link, rename, unlink) only by fsync of its directory. `--names ordered` is milder, as a
journalling file system is: fsync of any file makes all names of before durable, too.

Commands are written to the file `.power` at the top of the mount:

    cut              un-synced writes vanish, or leave a torn prefix, or scattered pages; un-synced names are undone from some point on
    fail-syncs N     the next N syncs of files answer EIO and what they should have written is gone, as Linux does it
    full 1 | full 0  writes answer ENOSPC, or no longer
    slow MS          each sync takes this long

After `cut` the mount shows what the backing holds; kill the program first, no one survives a power cut. fallocate is answered
"not supported" (the library below does not know it); posix_fallocate then writes zeros itself. O_SYNC and O_DSYNC count from the
second opening of a file on (the library does not tell the flags of a creation). Locks are the kernel's.
"""
import argparse
import errno
import os
import random
import signal
import stat
import time

from fuse import FUSE, FuseOSError, Operations

CONTROL = "/.power"
CONTROL_HANDLE = (1 << 62)
SECTOR = 512
PAGE = 4096
DSYNC = os.O_DSYNC | os.O_SYNC


class OpenFile:
    """What is not yet on the platter of one file, oldest first: (offset, octets), or (size, None) for a truncation."""

    def __init__(self, size):
        self.pending = []
        self.size = size            # as programs see it


class PowerDisk(Operations):
    def __init__(self, backing, trash, seed, strict):
        self.backing, self.trash, self.strict = backing, trash, strict
        self.random = random.Random(seed)
        self.files = {}             # inode of the backing -> OpenFile, only while something is pending
        self.names = []             # undo log of names: (directory, function, arguments), oldest first
        self.fail_syncs = 0
        self.full = False
        self.slow = 0.0
        self.spare = 0              # number of the next file in the trash
        self.cuts = 0
        self.flags = {}             # handle -> open flags

    # --- helpers

    def _path(self, path):
        return self.backing + path

    def __call__(self, operation, path, *arguments):
        if path == CONTROL:
            return self._control(operation, *arguments)
        if not hasattr(self, operation):
            raise FuseOSError(errno.ENOSYS)
        try:
            return getattr(self, operation)(path, *arguments)
        except FuseOSError:
            raise
        except OSError as error:
            raise FuseOSError(error.errno or errno.EIO) from error

    def _control(self, operation, *arguments):
        if operation in ("getattr", "fgetattr"):
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": 0}
        if operation in ("open", "create"):
            return CONTROL_HANDLE
        if operation == "read":
            return b""
        if operation in ("getxattr", "listxattr", "setxattr", "removexattr"):
            raise FuseOSError(errno.ENOTSUP)
        if operation == "write":
            for line in arguments[0].decode().splitlines():
                self._command(line.split())
            return len(arguments[0])
        return 0

    def _command(self, words):
        match words:
            case ["cut"]:
                # A sync that was to fail and was not asked for before the cut is none of the next life's.
                self.fail_syncs = 0
                self._cut()
            case ["fail-syncs", count]:
                self.fail_syncs = int(count)
            case ["full", flag]:
                self.full = flag == "1"
            case ["slow", milliseconds]:
                self.slow = float(milliseconds) / 1000
            case _:
                raise FuseOSError(errno.EINVAL)

    def _file(self, handle):
        """Its entry, made when needed."""
        status = os.fstat(handle)
        found = self.files.get(status.st_ino)
        if found is None:
            found = self.files[status.st_ino] = OpenFile(status.st_size)
        return found

    # --- the platter

    @staticmethod
    def _apply(handle, entry):
        offset, octets = entry
        if octets is None:
            os.ftruncate(handle, offset)
        else:
            os.pwrite(handle, octets, offset)

    def _settle(self, handle):
        """Everything of this file is durable from here on."""
        found = self.files.pop(os.fstat(handle).st_ino, None)
        if found:
            for entry in found.pending:
                self._apply(handle, entry)

    def _settle_names(self, directory=None):
        kept = []
        for entry in self.names:
            if directory is not None and entry[0] != directory:
                kept.append(entry)
            elif entry[1] is self._put_back:
                os.unlink(entry[2][0]) if os.path.lexists(entry[2][0]) else None
            elif entry[1] is self._undo_rename and entry[2][2] and os.path.lexists(entry[2][2]):
                os.unlink(entry[2][2])
        self.names = kept

    def _sync(self, handle):
        if self.slow:
            time.sleep(self.slow)
        if self.fail_syncs > 0:
            self.fail_syncs -= 1
            # Linux drops the dirty pages and says OK to the next sync: the worst moment to retry.
            self.files.pop(os.fstat(handle).st_ino, None)
            raise FuseOSError(errno.EIO)
        self._settle(handle)
        if not self.strict:
            self._settle_names()

    def _cut(self):
        self.cuts += 1
        by_inode = {}
        for folder, _, names in os.walk(self.backing):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    by_inode[status.st_ino] = path
        for inode, found in self.files.items():
            path = by_inode.get(inode)
            if path and found.pending:
                handle = os.open(path, os.O_RDWR)
                self._tear(handle, found.pending)
                os.close(handle)
        self.files.clear()
        # A journal of names keeps a prefix of them; without its order each one's fate would be free, which no usual disk does.
        if self.names:
            kept = self.random.randrange(len(self.names) + 1)
            for _, undo, arguments in reversed(self.names[kept:]):
                try:
                    undo(*arguments)
                except FileNotFoundError:
                    pass        # it lay in a directory that is gone itself
            self.names = self.names[:kept]
            self._settle_names()

    def _tear(self, handle, pending):
        fate = self.random.random()
        if fate < 0.4:
            return                                              # nothing of it arrived
        if fate < 0.8:                                          # in order, and the last of it torn
            count = self.random.randrange(len(pending) + 1)
            for entry in pending[:count]:
                self._apply(handle, entry)
            if count < len(pending) and pending[count][1]:
                offset, octets = pending[count]
                length = self.random.randrange(len(octets) + 1)
                if self.random.random() < 0.5:
                    length -= (offset + length) % SECTOR        # at a sector's border, as most disks promise
                if length > 0:
                    os.pwrite(handle, octets[:length], offset)
            return
        for offset, octets in pending:                          # page by page, in any order
            if octets is None:
                continue
            place = 0
            while place < len(octets):
                end = min(len(octets), place + PAGE - (offset + place) % PAGE)
                if self.random.random() < 0.5:
                    os.pwrite(handle, octets[place:end], offset + place)
                place = end

    # --- names

    def _note(self, path, undo, *arguments):
        self.names.append((os.path.dirname(path), undo, arguments))

    def _trashed(self):
        self.spare += 1
        return os.path.join(self.trash, str(self.spare))

    @staticmethod
    def _remove(path):
        os.unlink(path)

    @staticmethod
    def _remove_tree(path):
        import shutil
        shutil.rmtree(path)

    @staticmethod
    def _put_back(kept, path):
        if not os.path.lexists(path):
            os.rename(kept, path)

    @staticmethod
    def _undo_rename(old, new, kept):
        os.rename(new, old)
        if kept:
            os.rename(kept, new)

    def create(self, path, mode, info=None):
        existed = os.path.lexists(self._path(path))
        handle = os.open(self._path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        if not existed:
            self._note(path, self._remove, self._path(path))
        return handle

    def mknod(self, path, mode, device):
        os.mknod(self._path(path), mode, device)
        self._note(path, self._remove, self._path(path))

    def mkdir(self, path, mode):
        os.mkdir(self._path(path), mode)
        self._note(path, self._remove_tree, self._path(path))

    def rmdir(self, path):
        os.rmdir(self._path(path))

    def unlink(self, path):
        kept = self._trashed()
        os.rename(self._path(path), kept)
        self._note(path, self._put_back, kept, self._path(path))

    def rename(self, old, new):
        kept = None
        target = self._path(new)
        if os.path.lexists(target) and not os.path.isdir(target):
            kept = self._trashed()
            os.link(target, kept, follow_symlinks=False)
        os.rename(self._path(old), target)
        self._note(new, self._undo_rename, self._path(old), target, kept)

    def link(self, target, source):
        os.link(self._path(source), self._path(target))
        self._note(target, self._remove, self._path(target))

    def symlink(self, target, source):
        os.symlink(source, self._path(target))
        self._note(target, self._remove, self._path(target))

    def readlink(self, path):
        return os.readlink(self._path(path))

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(self._path(path))]

    def fsyncdir(self, path, datasync, handle):
        self._settle_names(path)
        return 0

    # --- files

    def open(self, path, flags):
        handle = os.open(self._path(path), os.O_RDWR | os.O_CLOEXEC)
        if flags & DSYNC:
            self.flags[handle] = flags
        if flags & os.O_TRUNC:
            self._cut_to(handle, 0)
        return handle

    def release(self, path, handle):
        self.flags.pop(handle, None)
        os.close(handle)
        return 0

    def read(self, path, size, offset, handle):
        found = self.files.get(os.fstat(handle).st_ino)
        if not found:
            return os.pread(handle, size, offset)
        end = min(offset + size, found.size)
        if end <= offset:
            return b""
        octets = bytearray(os.pread(handle, end - offset, offset))
        octets += bytes(end - offset - len(octets))
        for place, written in found.pending:
            if written is None:
                # Past a truncation everything before it reads as zeros.
                if place < end:
                    start = max(place, offset) - offset
                    octets[start:] = bytes(len(octets) - start)
                continue
            first, last = max(place, offset), min(place + len(written), end)
            if first < last:
                octets[first - offset:last - offset] = written[first - place:last - place]
        return bytes(octets)

    def write(self, path, octets, offset, handle):
        if self.full:
            raise FuseOSError(errno.ENOSPC)
        found = self._file(handle)
        found.pending.append((offset, bytes(octets)))
        found.size = max(found.size, offset + len(octets))
        if handle in self.flags:
            self._sync(handle)
        return len(octets)

    def _cut_to(self, handle, length):
        found = self._file(handle)
        found.pending.append((length, None))
        found.size = length

    def truncate(self, path, length, handle=None):
        own = handle is None
        if own:
            handle = os.open(self._path(path), os.O_RDWR)
        try:
            if self.full and length > os.fstat(handle).st_size:
                raise FuseOSError(errno.ENOSPC)
            self._cut_to(handle, length)
        finally:
            if own:
                os.close(handle)

    def fsync(self, path, datasync, handle):
        self._sync(handle)
        return 0

    def flush(self, path, handle):
        return 0

    # --- the rest

    def getattr(self, path, handle=None):
        status = os.lstat(self._path(path))
        answer = {name: getattr(status, name) for name in (
            "st_atime", "st_ctime", "st_mtime", "st_gid", "st_uid", "st_mode", "st_nlink", "st_size")}
        found = self.files.get(status.st_ino)
        if found:
            answer["st_size"] = found.size
        return answer

    def access(self, path, mode):
        if not os.access(self._path(path), mode):
            raise FuseOSError(errno.EACCES)
        return 0

    def chmod(self, path, mode):
        os.chmod(self._path(path), mode)
        return 0

    def chown(self, path, user, group):
        os.chown(self._path(path), user, group, follow_symlinks=False)
        return 0

    def utimens(self, path, times=None):
        os.utime(self._path(path), times)
        return 0

    def statfs(self, path):
        status = os.statvfs(self.backing)
        return {name: getattr(status, name) for name in (
            "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize", "f_namemax")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backing")
    parser.add_argument("mountpoint")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--names", choices=["strict", "ordered"], default="strict")
    options = parser.parse_args()
    backing = os.path.abspath(options.backing)
    trash = backing + ".trash"
    os.makedirs(trash, exist_ok=True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    FUSE(PowerDisk(backing, trash, options.seed, options.names == "strict"), os.path.abspath(options.mountpoint),
         foreground=True, nothreads=True, direct_io=True, big_writes=True, max_write=131072, attr_timeout=0, entry_timeout=0,
         negative_timeout=0, fsname="powerfs")


if __name__ == "__main__":
    main()
