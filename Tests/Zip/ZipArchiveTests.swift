import Foundation
import Testing

@testable import Zip

/// Archives of ours and of others, and everything that an archive must not be.
@Suite("Zip archives")
struct ZipArchiveTests {
    /// By Python's zipfile: a folder, a deflated file, a stored one whose name is Ukrainian, and a comment.
    private static let foreign = [
        "UEsDBBQAAAAAAAAAd10AAAAAAAAAAAAAAAAGAAAAcnVsZXMvUEsDBBQAAAAIAAAAd12A+fY6GAAAAJgAAAAZAAAAcnVsZXMvcm91dGVzL2RlZm",
        "F1bHQuanNvbqtWykvMTVWyUlAKyi8tSS1WquWqHgxCAFBLAwQUAAAIAAAAAHddIsi6FwkAAAAJAAAAFgAAAHJ1bGVzL9C/0YDQuNCy0ZbRgi50",
        "eHRzdG9yZWQg0ZdQSwECFAMUAAAAAAAAAHddAAAAAAAAAAAAAAAABgAAAAAAAAAAAAAAgAEAAAAAcnVsZXMvUEsBAhQDFAAAAAgAAAB3XYD59j",
        "oYAAAAmAAAABkAAAAAAAAAAAAAAIABJAAAAHJ1bGVzL3JvdXRlcy9kZWZhdWx0Lmpzb25QSwECFAMUAAAIAAAAAHddIsi6FwkAAAAJAAAAFgAA",
        "AAAAAAAAAAAAgAFzAAAAcnVsZXMv0L/RgNC40LLRltGCLnR4dFBLBQYAAAAAAwADAL8AAACwAAAAEQBtYWRlIGVsc2V3aGVyZSBQSw==",
    ].joined()
    /// The same program writing into a pipe: sizes and checksum stand behind the bytes.
    private static let streamed = [
        "UEsDBBQACAAIAAAAd10AAAAAAAAAAAAAAAANAAAAY2FwL3dlZWsueWFtbMtLzE21UghPTc3myiOBCQBQSwcIkx77pBAAAAA3AAAAUEsBAhQDFA",
        "AIAAgAAAB3XZMe+6QQAAAANwAAAA0AAAAAAAAAAAAAAIABAAAAAGNhcC93ZWVrLnlhbWxQSwUGAAAAAAEAAQA7AAAASwAAAAAA",
    ].joined()
    /// With a symbolic link in it.
    private static let link = [
        "UEsDBBQAAAAAAAAAd10KuR8pCwAAAAsAAAANAAAAY2FwL2xpbmsuanNvbi9ldGMvcGFzc3dkUEsBAhQDFAAAAAAAAAB3XQq5HykLAAAACwAAAA",
        "0AAAAAAAAAAAAAAP+hAAAAAGNhcC9saW5rLmpzb25QSwUGAAAAAAEAAQA7AAAANgAAAAAA",
    ].joined()

    private static func bytes(_ base64: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: base64))) }

    private static func fault(_ bytes: [UInt8], _ limits: Zip.Limits = Zip.Limits()) -> ZipFault? {
        do throws(ZipFault) {
            _ = try Zip.read(bytes, limits)
            return nil
        } catch {
            return error
        }
    }

    @Test("What another program packed is read, deflated, stored and streamed; folders are left out")
    func others() throws {
        let text = String(repeating: "{\"name\": \"Routes\"}\n", count: 8)
        #expect(
            try Zip.read(ZipArchiveTests.bytes(ZipArchiveTests.foreign)) == [
                Zip.Entry(name: "rules/routes/default.json", bytes: Array(text.utf8)),
                Zip.Entry(name: "rules/привіт.txt", bytes: Array("stored ї".utf8)),
            ])
        let week = String(repeating: "name: Week\n", count: 5)
        #expect(
            try Zip.read(ZipArchiveTests.bytes(ZipArchiveTests.streamed)) == [Zip.Entry(name: "cap/week.yaml", bytes: Array(week.utf8))])
    }

    @Test("What was packed is read back as it was, and the same files make the same bytes")
    func round() throws {
        var number: UInt32 = 7
        let noise = (0..<5000).map { _ in
            number = number &* 1_664_525 &+ 1_013_904_223
            return UInt8(number >> 24)
        }
        let entries = [
            Zip.Entry(name: "empty", bytes: []), Zip.Entry(name: "a/Ї.json", bytes: Array(repeating: 65, count: 200_000)),
            Zip.Entry(name: "noise", bytes: noise),
        ]
        let packed = try Zip.write(entries)
        #expect(try Zip.read(packed) == entries && Zip.write(entries) == packed)
        #expect(packed.count < 7000, "what deflate makes smaller is deflated, what it does not is stored")
        #expect(try Zip.read(Zip.write([])).isEmpty)
    }

    static let names: [(String, String)] = [
        ("../up", "leads out"), ("a/../../up", "leads out"), ("a/..", "leads out"), ("/etc/passwd", "absolute"), ("C:/x", "absolute"),
        ("a\\b", "backslashes"),
        ("a//b", "empty parts"), ("./a", "empty parts"), ("a/\u{1}", "control characters"), ("", "no name"),
        (String(repeating: "x", count: 513), "longer than 512"),
    ]

    @Test("No name leads anywhere but into the folder, neither written nor read", arguments: names)
    func badName(name: String, words: String) throws {
        let entry = Zip.Entry(name: name, bytes: [1])
        guard case .entry(_, let reason)? = #expect(throws: ZipFault.self, performing: { try Zip.write([entry]) }) else { return }
        #expect(reason.contains(words))
        // An archive of somebody who does not look: a name of the same length put in its place.
        guard name.utf8.count > 0, name.utf8.count <= 512 else { return }
        let stand = [UInt8](repeating: UInt8(ascii: "q"), count: name.utf8.count)
        var bytes = try Zip.write([Zip.Entry(name: String(decoding: stand, as: UTF8.self), bytes: [1])])
        for at in bytes.indices.dropLast(stand.count) where bytes[at..<(at + stand.count)].elementsEqual(stand) {
            bytes.replaceSubrange(at..<(at + stand.count), with: name.utf8)
        }
        guard case .entry(_, let found)? = ZipArchiveTests.fault(bytes) else { return #expect(Bool(false), "\(name)") }
        #expect(found.contains(words))
    }

    @Test("A name that stands there twice, a link, an encrypted file, another method and Zip64 are refused by their words")
    func refused() throws {
        let two = [Zip.Entry(name: "a", bytes: [1]), Zip.Entry(name: "a", bytes: [2])]
        #expect(throws: ZipFault.entry("a", "the name stands there twice")) { try Zip.write(two) }
        var twice = try Zip.write([Zip.Entry(name: "a", bytes: [1]), Zip.Entry(name: "b", bytes: [2])])
        for at in twice.indices where twice[at] == UInt8(ascii: "b") { twice[at] = UInt8(ascii: "a") }
        #expect(ZipArchiveTests.fault(twice) == .entry("a", "the name stands there twice"))
        #expect(ZipArchiveTests.fault(try ZipArchiveTests.bytes(ZipArchiveTests.link)) == .entry("cap/link.json", "it is a link"))

        let one = try Zip.write([Zip.Entry(name: "a", bytes: [1])])
        let directory = 30 + 1 + 1
        func changed(_ at: Int, _ value: UInt8) -> String {
            var bytes = one
            bytes[at] = value
            return ZipArchiveTests.fault(bytes).map { "\($0)" } ?? "nothing"
        }
        #expect(changed(directory + 8, 1) == "'a': it is encrypted")
        #expect(changed(directory + 10, 12) == "'a': it is packed by method 12; deflate and none are read")
        #expect(changed(directory + 46, 0xFF) == "the archive is damaged: a name in it is not UTF-8")
        #expect(changed(directory, 0) == "the archive is damaged: its directory cannot be read")
        #expect(changed(31, 9) == "'a': it is damaged")
        #expect(changed(0, 1) == "it is no zip archive")
        #expect(changed(26, 0) == "'a': its own header says something else than the archive's directory")
        let end = one.count - 22
        #expect(changed(end + 4, 1) == "an archive of several parts is not supported; pack it anew")
        #expect(changed(end + 16, 9) == "the archive is damaged: its directory is not where it says")
        var large = one
        for at in (end + 10)..<(end + 12) { large[at] = 0xFF }
        #expect(ZipArchiveTests.fault(large) == .unsupported("Zip64"))
        #expect("\(ZipFault.entry("a\u{7}b", "x"))" == "'a?b': x")
    }

    @Test("An archive that is cut off anywhere is named so, or is none")
    func cut() throws {
        for text in [ZipArchiveTests.foreign, ZipArchiveTests.streamed] {
            let bytes = try ZipArchiveTests.bytes(text)
            for length in bytes.indices {
                let fault = ZipArchiveTests.fault(Array(bytes[..<length]))
                #expect(fault == (length < 4 ? .notAnArchive : .truncated), "\(length)")
            }
        }
    }

    @Test("Whatever byte is changed: the same files, or a stated fault")
    func flipped() throws {
        for text in [ZipArchiveTests.foreign, ZipArchiveTests.streamed] {
            let bytes = try ZipArchiveTests.bytes(text)
            let whole = try Zip.read(bytes)
            for at in bytes.indices {
                for value in [0, 1, 0x7F, 0xFF, bytes[at] ^ 0x20] as [UInt8] where value != bytes[at] {
                    var other = bytes
                    other[at] = value
                    guard let read = try? Zip.read(other) else { continue }
                    // What is not covered by a checksum are names and what says nothing of the contents.
                    #expect(read.map(\.bytes) == whole.map(\.bytes) || read.count < whole.count, "\(at)")
                }
            }
        }
    }

    @Test("Too much is refused before it is unpacked: packed, unpacked, in number; and is not written")
    func bounds() throws {
        let entries = [
            Zip.Entry(name: "a", bytes: Array(repeating: 0, count: 1000)), Zip.Entry(name: "b", bytes: Array(repeating: 0, count: 1000)),
        ]
        let bytes = try Zip.write(entries)
        var limits = Zip.Limits()
        limits.bytes = bytes.count - 1
        #expect(ZipArchiveTests.fault(bytes, limits) == .tooLarge(bytes: limits.bytes))
        limits.bytes = 1999
        #expect(ZipArchiveTests.fault(bytes, limits) == .tooLarge(bytes: 1999))
        #expect(throws: ZipFault.tooLarge(bytes: 1999)) { try Zip.write(entries, limits) }
        limits.bytes = 2000
        #expect(try Zip.read(bytes, limits) == entries)
        limits.entries = 1
        #expect(ZipArchiveTests.fault(bytes, limits) == .tooManyEntries(1))
        #expect(throws: ZipFault.tooManyEntries(1)) { try Zip.write(entries, limits) }
        limits.bytes = 10
        limits.entries = 2
        #expect(throws: ZipFault.tooLarge(bytes: 10)) { try Zip.write([Zip.Entry(name: "c", bytes: [])], limits) }
        #expect("\(ZipFault.tooLarge(bytes: 64 << 20))" == "it holds more than 64 MiB, packed or unpacked")
        #expect("\(ZipFault.tooManyEntries(10_000))" == "it holds more than 10000 files" && "\(ZipFault.truncated)".contains("cut off"))
        // It says that it is small, and is not: no more than it says is unpacked.
        var small = try Zip.write([Zip.Entry(name: "a", bytes: Array(repeating: 0, count: 5000))])
        let directory = small.count - 22 - 47
        for at in [22, directory + 24] { small.replaceSubrange(at..<(at + 4), with: [100, 0, 0, 0]) }
        #expect(ZipArchiveTests.fault(small) == .entry("a", "it is damaged"))
    }

    @Test("Files that lie over each other are refused")
    func overlapping() throws {
        var bytes = try Zip.write([Zip.Entry(name: "a", bytes: [1]), Zip.Entry(name: "b", bytes: [1])])
        // The second line of the directory names the place of the first file, whose own header then has the other name.
        let directory = 2 * 32
        let second = directory + 47
        bytes.replaceSubrange((second + 42)..<(second + 46), with: [0, 0, 0, 0])
        #expect(ZipArchiveTests.fault(bytes) == .entry("b", "its own header says something else than the archive's directory"))
        // A file that reaches over the next.
        var long = try Zip.write([Zip.Entry(name: "a", bytes: Array(1...40)), Zip.Entry(name: "b", bytes: [2])])
        let inner = Array(long[31..<71]) + Array(long[71..<75])
        let first = 31 + 40 + 32
        for at in [18, 22, first + 20, first + 24] { long[at] = 44 }
        let checksum = Deflate.checksum(inner)
        for at in [14, first + 16] { withUnsafeBytes(of: checksum.littleEndian) { long.replaceSubrange(at..<(at + 4), with: $0) } }
        #expect(ZipArchiveTests.fault(long) == .damaged("files lie over each other"))
    }
}
