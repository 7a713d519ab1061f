import Glibc

/// One reader of octets that others chose. `body` must hold for every input: a false claim traps, which is what the fuzzer looks for.
struct FuzzTarget: Sendable {
    let name: String
    let body: @Sendable (UnsafeRawBufferPointer) -> Void

    static let all: [FuzzTarget] = [
        .pdu, .session, .parameters, .receipt, .times, .header, .septets, .texts, .json, .event, .record, .payload, .template, .zip,
    ]
}

/// Traps with the claim's text when it does not hold: to libFuzzer a trap is the finding, whose input it keeps.
func claim(_ holds: Bool, _ text: @autoclosure () -> String) {
    if !holds { fatalError("claim broken: \(text())") }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Set once before libFuzzer's loop begins, read by its callback, which has no place for a context; both run on the main thread
/// (a target is never run with `-jobs` in one process), so nothing reads while it is written.
nonisolated(unsafe) private var chosen: FuzzTarget?

/// What libFuzzer's own `main` would call; it is linked in, `Fuzz.main` is what runs.
@_cdecl("LLVMFuzzerTestOneInput")
func oneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen?.body(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

/// `fuzz NAME [libFuzzer's arguments]`, `fuzz --list`, `fuzz --seeds NAME FOLDER`. Usually started by `Fuzz/run`.
@main
struct Fuzz {
    static func main() {
        let words = CommandLine.arguments
        if words.count == 2, words[1] == "--list" {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        if words.count == 4, words[1] == "--seeds" {
            guard writeSeeds(of: words[2], to: words[3]) else { stop("cannot write the seeds of '\(words[2])' to \(words[3])") }
            return
        }
        guard words.count >= 2, let target = FuzzTarget.all.first(where: { $0.name == words[1] }) else {
            stop("usage: fuzz NAME [libFuzzer's arguments] | --list | --seeds NAME FOLDER")
        }
        chosen = target
        // libFuzzer keeps these for the whole run.
        var arguments: [UnsafeMutablePointer<CChar>?] = ([words[0]] + words[2...]).map { strdup($0) } + [nil]
        var count = CInt(arguments.count - 1)
        let status = arguments.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            return withUnsafeMutablePointer(to: &base) { pointer in
                runDriver(&count, pointer) { bytes, count in oneInput(bytes, count) }
            }
        }
        exit(status)
    }

    private static func stop(_ text: String) -> Never {
        let line = Array("\(text)\n".utf8)
        _ = write(2, line, line.count)
        exit(64)
    }
}
