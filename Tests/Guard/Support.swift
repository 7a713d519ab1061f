import Crypto
import Glibc

@testable import Guard

/// A directory of its own for one test, removed with what it holds.
final class Scratch: Sendable {
    let path: String

    init() {
        path = "/tmp/guard-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        mkdir(path, 0o700)
    }

    deinit { Scratch.remove(path) }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in (try? PrivateFile.names(in: path, atMost: 10_000)) ?? [] { remove("\(path)/\(name)") }
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o600) -> String {
        put(name, Array(text.utf8), mode: mode)
    }

    @discardableResult
    func put(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) -> String {
        let path = file(name)
        unlink(path)
        try? PrivateFile.write(path, bytes)
        chmod(path, mode)
        return path
    }

    func read(_ name: String) -> [UInt8] { (try? PrivateFile.read(file(name), maximumBytes: 100_000)) ?? [] }
    func names(_ name: String = "") -> [String] { (try? PrivateFile.names(in: file(name), atMost: 10_000)) ?? [] }
}

let plainKey: [UInt8] = Array(0..<32)

func masterKey(_ first: UInt8 = 0) -> MasterKey {
    MasterKey(root: SymmetricKey(data: plainKey.map { $0 &+ first }))
}

func hex(_ bytes: some Sequence<UInt8>) -> String { Hex.text(bytes) }
