import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Master key")
struct MasterKeyTests {
    let scratch = Scratch()

    static let line = "martlet-master-key v1 fc582249 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

    @Test("A made key is one line of mode 0600 and loads as the same key")
    func roundTrip() throws {
        let path = scratch.file("master")
        let made = try MasterKey.create(at: path)
        let loaded = try MasterKey.load(from: path)
        #expect(made.id == loaded.id && made.line == loaded.line)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let text = String(decoding: scratch.read("master"), as: UTF8.self)
        #expect(text == made.line && text.hasPrefix("martlet-master-key v1 \(made.idText) ") && text.hasSuffix("\n"))
    }

    @Test("The key id and the wrapping key are the HKDF-SHA256 that another implementation computes")
    func derivation() throws {
        let key = try MasterKey.parse(Array(MasterKeyTests.line.utf8), path: "k")
        #expect(key.idText == "fc582249")
        #expect(key.wrapping.withUnsafeBytes { hex($0) } == "f672e152689e6f387f59c498a983b4f33aec720c39955dced905038581ef7361")
        #expect(key.line == MasterKeyTests.line)
    }

    @Test("A key that exists is never overwritten")
    func neverOverwrites() throws {
        let path = scratch.file("master")
        try MasterKey.create(at: path)
        let before = scratch.read("master")
        #expect(throws: MasterKeyFault.exists(path: path)) { try MasterKey.create(at: path) }
        #expect(scratch.read("master") == before)
        symlink("elsewhere", scratch.file("link"))
        #expect(throws: MasterKeyFault.exists(path: scratch.file("link"))) { try MasterKey.create(at: scratch.file("link")) }
    }

    @Test("A key that cannot be written names the step and the reason")
    func cannotWrite() throws {
        let path = scratch.file("no/such/place")
        let fault = #expect(throws: MasterKeyFault.self) { try MasterKey.create(at: path) }
        #expect(fault == .cannotWrite(path: path, reason: "create: No such file or directory"))
        #expect(fault?.description.contains("choose a place") == true)
    }

    @Test("Each unusable file is refused with its own reason and remedy")
    func refusals() throws {
        func fault(_ path: String) -> MasterKeyFault? { #expect(throws: MasterKeyFault.self) { try MasterKey.load(from: path) } }
        let missing = scratch.file("missing")
        #expect(fault(missing) == .missing(path: missing))
        #expect(fault(missing)?.description.contains("martlet keys init") == true)
        #expect(fault(scratch.path) == .notAFile(path: scratch.path))
        symlink("loop", scratch.file("loop"))
        #expect(fault(scratch.file("loop")) == .unreadable(path: scratch.file("loop"), reason: "Too many levels of symbolic links"))
        for (mode, text) in [(0o640, "640"), (0o604, "604"), (0o620, "620"), (0o602, "602"), (0o777, "777")] as [(mode_t, String)] {
            let path = scratch.write("open", MasterKeyTests.line, mode: mode)
            #expect(fault(path) == .openToOthers(path: path, mode: text))
            #expect(fault(path)?.description.contains("chmod 600") == true)
        }
        func malformed(_ text: String) -> String? {
            if case .malformed(_, let reason) = fault(scratch.write("bad", text)) { reason } else { nil }
        }
        #expect(malformed("") == "empty")
        #expect(malformed("hello") == "it does not start with `martlet-master-key v1` and hold one line of four words")
        #expect(malformed(MasterKeyTests.line + "\n") != nil)
        #expect(malformed("martlet-master-key v2 fc582249 AAEC") != nil)
        #expect(malformed("martlet-master-key v1 FC582249 AAEC") == "the key id is not 8 hexadecimal digits")
        #expect(malformed("martlet-master-key v1 fc582249 A*EC") == "the key is not base64")
        #expect(malformed(String(repeating: "x", count: 300)) == "longer than 256 bytes")
        let short = scratch.write("short", "martlet-master-key v1 fc582249 AAEC\n")
        #expect(fault(short) == .wrongLength(path: short, bytes: 3))
        let notText = scratch.put("notText", [0xFF, 0xFE, 0x0A])
        #expect(fault(notText) == .malformed(path: notText, reason: "not text"))
    }

    @Test("A flipped bit in any byte of the key file is seen")
    func flippedBits() throws {
        let good = Array(MasterKeyTests.line.utf8)
        for place in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[place] ^= 1 << UInt8(bit)
                #expect(throws: MasterKeyFault.self, "byte \(place) bit \(bit)") { try MasterKey.parse(bad, path: "k") }
            }
        }
    }

    @Test("A changed key with a well-formed line is refused as altered")
    func altered() {
        let bad = MasterKeyTests.line.replacing("AAECAw", with: "BAECAw")
        #expect(throws: MasterKeyFault.altered(path: "k")) { try MasterKey.parse(Array(bad.utf8), path: "k") }
    }

    @Test("A credential of systemd may be readable by its group, no other file may")
    func credentials() throws {
        mkdir(scratch.file("credentials"), 0o700)
        let path = scratch.write("credentials/master", MasterKeyTests.line, mode: 0o440)
        #expect(throws: MasterKeyFault.self) { try MasterKey.load(from: path) }
        #expect(try MasterKey.load(from: path, credentials: scratch.file("credentials")).idText == "fc582249")
        #expect(throws: MasterKeyFault.self) { try MasterKey.load(from: path, credentials: scratch.file("other")) }
        let open = scratch.write("credentials/open", MasterKeyTests.line, mode: 0o444)
        #expect(throws: MasterKeyFault.self) { try MasterKey.load(from: open, credentials: scratch.file("credentials")) }
    }

    @Test("A key inside the data directory is refused by whatever path it is named")
    func insideData() throws {
        mkdir(scratch.file("data"), 0o700)
        mkdir(scratch.file("data/sub"), 0o700)
        mkdir(scratch.file("database"), 0o700)
        symlink("data/sub", scratch.file("link"))
        let data = scratch.file("data")
        func refused(_ key: String, _ data: String) -> Bool {
            do {
                try MasterKey.requireOutside(keyFile: key, dataDirectory: data)
                return false
            } catch {
                return error == .insideData(path: key, data: data) && error.description.contains("move it out")
            }
        }
        scratch.write("data/sub/master", MasterKeyTests.line)
        symlink("data/sub/master", scratch.file("sneaky"))
        #expect(refused("\(data)/sub/master", data))
        #expect(refused(scratch.file("link/master"), data))
        #expect(refused(scratch.file("sneaky"), data))
        #expect(refused("\(data)/not-yet", data))
        #expect(refused("\(data)/no/./such/../dir/master", data))
        #expect(refused(scratch.file("data/../data/sub/master"), data))
        #expect(refused(scratch.file("new/keys/master"), scratch.file("new")))
        #expect(!refused(scratch.file("database/master"), data))
        #expect(!refused(scratch.file("master"), data))
        #expect(!refused(scratch.file("new/master"), scratch.file("new/data")))
        #expect(refused("/master", "/"))
        #expect(!refused("no-such-relative-file", data))
    }

    @Test("A master key shows its id and nothing else")
    func descriptions() throws {
        let key = try MasterKey.parse(Array(MasterKeyTests.line.utf8), path: "k")
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("fc582249") && !text.contains("AAEC"))
        }
    }

    @Test("Every fault says what is wrong and what to do, and names the file")
    func faultTexts() {
        let all: [MasterKeyFault] = [
            .missing(path: "/k"), .unreadable(path: "/k", reason: "r"), .notAFile(path: "/k"), .openToOthers(path: "/k", mode: "644"),
            .malformed(path: "/k", reason: "r"), .wrongLength(path: "/k", bytes: 3), .altered(path: "/k"), .exists(path: "/k"),
            .cannotWrite(path: "/k", reason: "r"), .insideData(path: "/k", data: "/d"),
        ]
        for fault in all { #expect(fault.description.hasPrefix("master key: ") && fault.description.contains("/k")) }
        let files: [PrivateFileFault] = [
            .missing(path: "/k"), .unreadable(path: "/k", reason: "r"), .notAFile(path: "/k"), .openToOthers(path: "/k", mode: "644"),
            .empty(path: "/k"), .tooLong(path: "/k", maximumBytes: 4),
        ]
        for fault in files { #expect(fault.description.hasPrefix("/k ") && fault.description.contains(";")) }
    }
}
