import Glibc

/// Resident memory of this process in MiB: what is its own, and what is pages of files that the system may take back.
func residentMemory() -> (anonymous: Int, file: Int) {
    var own = 0
    var mapped = 0
    guard let status = fopen("/proc/self/status", "r") else { return (0, 0) }
    defer { fclose(status) }
    var line: UnsafeMutablePointer<CChar>?
    var room = 0
    while getline(&line, &room, status) > 0, let line {
        let words = String(cString: line).split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" })
        guard words.count >= 2, let size = Int(words[1]) else { continue }
        if words[0] == "RssAnon:" { own = size / 1024 }
        if words[0] == "RssFile:" { mapped = size / 1024 }
    }
    free(line)
    return (own, mapped)
}

/// Lets go of every page of the file, mapped or cached, so that the next look reads the disk.
func dropFromMemory(_ path: String) {
    guard let maps = fopen("/proc/self/maps", "r") else { return }
    defer { fclose(maps) }
    var line: UnsafeMutablePointer<CChar>?
    var room = 0
    while getline(&line, &room, maps) > 0, let line {
        let text = String(cString: line)
        guard text.contains(path), let span = text.split(separator: " ").first?.split(separator: "-"), span.count == 2,
            let start = UInt(span[0], radix: 16), let end = UInt(span[1], radix: 16)
        else { continue }
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
    }
    free(line)
    let file = open(path, O_RDONLY)
    guard file >= 0 else { return }
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    close(file)
}
